"""Pictures that are drawn when they are fetched, with real workers and over real HTTP: they are those of the methods."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from uvicorn import Config

from rendering import scaling
from rendering.drawings.synthesised_image import as_rgb
from rendering.overlays.blend import blend
from rendering.photo import Photo, Placement
from service.app import create_app
from service.dependencies import services_of
from service.server import DrainingServer
from service.settings import ServiceSettings
from tests.faults.stack import WorkerStack
from tests.workers.tiny import photo

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(240)]
FILE = photo(3)
PIXELS = np.asarray(Image.open(io.BytesIO(FILE)).convert("RGB"))
PHOTO = Photo(PIXELS, Placement((24, 20), (0.0, 0.0, 24.0, 20.0), (0.0, 0.0, 31.0, 45.0)))
# The map of `relu` has 9 x 7 cells of 2 x 2 pixels. The first convolution leaves out half a pixel, and the second one a cell, on each side.
UNDER_CAM = Photo(PIXELS, Placement((18, 14), (-2.5, -2.5, 24.0, 20.0), (0.0, 0.0, 31.0, 45.0)))


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    stack = WorkerStack(tmp_path)
    stack.start_workers()
    settings = ServiceSettings.model_validate({**stack.store_settings.model_dump(), "models_file": tmp_path / "none.toml"})
    app = create_app(settings, stack.store)
    try:
        await stack.model()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = DrainingServer(Config(app, log_config=None, access_log=False), services_of(app))
            serving = asyncio.create_task(server.serve([listener]))
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=120) as client:
                yield client
            server.should_exit = True
            await serving
    finally:
        await stack.close()


async def run(client: httpx.AsyncClient, method: str, **fields: Any) -> dict[str, Any]:
    """Run a method on the photo, and return the finished job."""
    files = {} if method == "filters" else {"image": ("photo.png", FILE)}
    answer = await client.post(
        f"/v1/{method}",
        data={"model": "tiny", "annotate": "false", **fields},
        files=files,
        headers={"Accept": "application/json", "Prefer": "wait=60"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def picture(client: httpx.AsyncClient, job: dict[str, Any], name: str) -> np.ndarray:
    """Fetch a picture that is not stored yet, and check that it has the shape that was announced."""
    (described,) = (each for each in job["artifacts"] if each["name"] == name)
    assert described["sha256"] is None, "it is stored already"
    answer = await client.get(described["url"])
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        pixels = np.asarray(image)
    assert list(pixels.shape) == described["shape"]
    return pixels


async def array(client: httpx.AsyncClient, job: dict[str, Any], name: str) -> np.ndarray:
    return np.load(io.BytesIO((await client.get(f"/v1/jobs/{job['id']}/artifacts/{name}")).content))


async def test_pictures_of_four_methods(client: httpx.AsyncClient) -> None:
    cam = await run(client, "grad_cam", colormap="viridis", alpha="0.3")
    expected = blend(scaling.heat(await array(client, cam, "map")), UNDER_CAM, "viridis", 0.3)
    np.testing.assert_array_equal(await picture(client, cam, "heatmap"), expected[1])

    saliency = await run(client, "saliency", clip="90", smooth="0", alpha="0.6", colormap="magma")
    expected = blend(scaling.heat(scaling.clipped(await array(client, saliency, "map"), 90)), PHOTO, "magma", 0.6)
    np.testing.assert_array_equal(await picture(client, saliency, "overlay"), expected[0])

    filters = await run(client, "filters", layer="conv", channels="[0,2]", steps="2", size="32")
    images = await array(client, filters, "images")
    for name, image in zip(("channel_0", "channel_2"), images, strict=True):
        np.testing.assert_array_equal(await picture(client, filters, name), as_rgb(np.rint(image * 255).astype(np.uint8)))

    tested = await run(client, "faithfulness", attribution="grad_cam", steps="4", randomisations="0")
    overlay = blend(scaling.heat(await array(client, tested, "map")), UNDER_CAM, "turbo", 0.6)[0]
    np.testing.assert_array_equal(await picture(client, tested, "overlay"), overlay)
