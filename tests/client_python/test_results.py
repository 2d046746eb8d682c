"""A user calls the service through the client and gets pictures, arrays, errors and files."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from convscope import AsyncClient, Client, ConvscopeError, ImageError, Result, StateConflictError, UnknownNameError, WaitTimeoutError
from convscope.image_input import read_image
from tests.service.fake_worker import FakeWorker, png


def in_thread(url: str, call: Any) -> Any:
    """Run `call(client)` in a thread, because the service and the worker run in the loop of the test."""

    def run() -> Any:
        with Client(url) as client:
            return call(client)

    return asyncio.to_thread(run)


async def test_a_method_returns_its_pictures_and_arrays(url: str, working: FakeWorker, tmp_path: Path) -> None:
    def call(client: Client) -> Result:
        result = client.grad_cam(png(), model="vgg16", class_index=2)
        paths = result.save(tmp_path / "new")
        assert sorted(path.name for path in paths) == sorted(path.name for path in (tmp_path / "new").iterdir())
        assert np.array_equal(np.load(tmp_path / "new" / "map.npy"), result.map)
        assert json.loads((tmp_path / "new" / "job.json").read_text())["id"] == result.id
        assert result.overlay.format == "PNG"
        return result

    result = await in_thread(url, call)
    assert (result.method, result.model, result.primary) == ("grad_cam", "vgg16", "overlay")
    assert np.array_equal(np.asarray(result.overlay), np.asarray(Image.open(io.BytesIO(result.content("overlay")))))
    assert result.map.dtype == np.float32
    assert result.job["params"]["class_index"] == 2
    assert result._repr_mimebundle_()["image/png"].startswith("iVBOR")
    with pytest.raises(LookupError, match=r"no artifact 'heat'; it has .*overlay"):
        result["heat"]


async def test_the_asynchronous_client_loads_before_it_shows(url: str, working: FakeWorker) -> None:
    async with AsyncClient(url) as client:
        result = await client.grad_cam(png(), model="vgg16")
        with pytest.raises(LookupError, match="not loaded"):
            result.overlay  # noqa: B018 - the property raises
        assert result._repr_png_() is None
        await result.load("overlay")
        assert result.overlay.mode == "RGB"


class CountsUploads(httpx.AsyncHTTPTransport):
    uploads = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.uploads += (request.method, request.url.path) == ("POST", "/v1/images")
        return await super().handle_async_request(request)


async def test_an_image_is_uploaded_once_and_again_when_the_service_has_forgotten_it(url: str, worker: FakeWorker, tmp_path: Path) -> None:
    content = png(seed=3)
    (tmp_path / "photo.png").write_bytes(content)
    network = CountsUploads()
    async with AsyncClient(url, transport=network) as client:
        first = await client.submit("grad_cam", content, model="vgg16", alpha=0.1)
        (uploaded,) = (await client.images())["items"]
        await client.submit("grad_cam", tmp_path / "photo.png", model="vgg16", alpha=0.2)
        assert network.uploads == 1
        await client._connection.request("DELETE", f"/v1/images/{uploaded['id']}")
        again = await client.submit("grad_cam", content, model="vgg16", alpha=0.3)
        assert (network.uploads, first.id == again.id) == (2, False)


async def test_forms_of_an_image_become_the_same_file() -> None:
    array = np.random.default_rng(0).integers(0, 256, (5, 9, 3), dtype=np.uint8)
    of_array, of_pillow = await read_image(array), await read_image(Image.fromarray(array))
    assert of_array == of_pillow
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(of_array.content))), array)
    numbers = await read_image(array.astype(np.float32) / 255)
    assert numbers.media_type == "application/x-npy"
    assert np.load(io.BytesIO(numbers.content)).shape == (5, 9, 3)
    with pytest.raises(TypeError, match="got int"):
        await read_image(3)  # type: ignore[arg-type]


async def test_errors_have_the_class_of_their_code(url: str, worker: FakeWorker) -> None:
    async with AsyncClient(url) as client:
        with pytest.raises(UnknownNameError) as caught:
            await client.grad_cam(png(), model="vgg16", layer="conx")
        assert caught.value.code == "unknown_layer"
        assert caught.value.errors[0]["pointer"] == "/params/layer"
        job = await client.submit("grad_cam", png(), model="vgg16")
        with pytest.raises(WaitTimeoutError, match="goes on"):
            await job.wait(0.05)
        await worker.fail(await worker.claim(), "invalid_image", "The image is damaged.")
        with pytest.raises(ImageError, match="The image is damaged"):
            await job.wait()
        with pytest.raises(StateConflictError):
            await job.cancel()


async def test_a_map_keeps_the_order_and_returns_errors_as_values(url: str, working: FakeWorker, tmp_path: Path) -> None:
    images = [png(seed=1), b"no image", str(tmp_path / "missing.png"), *(png(seed=seed) for seed in range(2, 9))]
    values = await in_thread(url, lambda client: list(client.map("grad_cam", images, model="vgg16", callers=3)))
    assert isinstance(values[1], ConvscopeError)
    assert isinstance(values[2], FileNotFoundError)
    good = [values[0], *values[3:]]
    assert all(isinstance(value, Result) for value in good)
    sent = [(await read_image(image)).id for image in (images[0], *images[3:])]
    assert len(set(sent)) == len({value.id for value in good}) == 8


@pytest.mark.slow
async def test_a_batch_tells_its_results(url: str, feeder: object, working: FakeWorker) -> None:
    async with AsyncClient(url) as client:
        batch = await client.batch("grad_cam", {"a": png(seed=1), "b": b"no image", "c": png(seed=2)}, model="vgg16", alpha=0.5)
        items = {item.custom_id: item async for item in batch.results()}
        assert {name: item.state for name, item in items.items()} == {"a": "succeeded", "b": "failed", "c": "succeeded"}
        result = await items["a"].result().load()
        assert result.map.ndim == 2
        with pytest.raises(ConvscopeError):
            items["b"].result()
        assert (await batch.wait()).counts["succeeded"] == 2
        assert [event.name async for event in batch.events()][-1] == "done"
