"""The examples of `docs/inputs.md` are run by a real shell with curl, against the service and real workers."""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image
from uvicorn import Config

from service.app import create_app
from service.dependencies import services_of
from service.server import DrainingServer
from service.settings import ServiceSettings
from tests.faults.stack import WorkerStack
from tests.workers.tiny import photo
from tests.zoo import seeded

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.skipif(not shutil.which("curl"), reason="no curl")]
PAGE = (Path(__file__).parents[2] / "docs" / "inputs.md").read_text("utf-8")


def save_models(folder: Path) -> None:
    """Save the four models that the page names."""

    def image(name: str, channels: int = 3) -> Any:
        return keras.Input((64, 64, channels), name=name)

    def pooled(x: Any) -> Any:
        return layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, strides=2, activation="relu")(x))

    def save(name: str, inputs: list[Any], parts: list[Any]) -> None:
        joined = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
        seeded(keras.Model(inputs, layers.Dense(3, activation="softmax")(joined))).save(folder / f"{name}.keras")

    left, right, scene = image("left"), image("right"), image("scene", 13)
    x = image("x")
    tower = keras.Model(x, pooled(x), name="tower")
    save("pairs", [left, right], [tower(left), tower(right)])
    colour, depth = image("colour"), image("depth", 1)
    save("rgbd", [colour, depth], [pooled(colour), pooled(depth)])
    shown, metadata, month = image("photo"), keras.Input((2,), name="metadata"), keras.Input((1,), dtype="int32", name="month")
    save("listing", [shown, metadata, month], [pooled(shown), metadata, layers.Flatten()(layers.Embedding(12, 2)(month))])
    save("satellite", [scene], [pooled(scene)])


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    stack = WorkerStack(tmp_path)
    save_models(tmp_path / "models")
    stack.start_workers()
    shared = {**stack.store_settings.model_dump(), "models_file": tmp_path / "none.toml", "default_wait": 60}
    app = create_app(ServiceSettings.model_validate(shared), stack.store)
    try:
        await stack.model()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = DrainingServer(Config(app, log_config=None, access_log=False), services_of(app))
            serving = asyncio.create_task(server.serve([listener]))
            yield f"127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True
            await serving
    finally:
        await stack.close()


async def test_every_example_gives_its_picture(url: str, tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(photo(1, 90, 70))
    first, *rest = (Image.open(io.BytesIO(photo(seed, 90, 70))) for seed in (3, 4, 5))
    first.save(tmp_path / "cat.gif", save_all=True, append_images=rest, duration=[80, 40, 200])
    (tmp_path / "dog.jpg").write_bytes(photo(2, 50, 80))
    (arrays,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", arrays], cwd=tmp_path, check=True)
    commands: list[str] = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    script = re.sub(r"curl [^|]*?-o \w+\.(?:png|gif)", _bare, "\n".join(commands).replace("localhost:8000", url))
    run = await asyncio.to_thread(
        subprocess.run, ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert run.returncode == 0, run.stderr
    assert '"format":"NPY"' in run.stdout
    sizes = {name: _size(tmp_path / name) for name in re.findall(r"-o (\S+)", script)}
    cat, dog, array = (70, 90), (80, 50), (64, 64)
    shown = {"listing": cat, "left": cat, "right": dog, "letterbox": cat, "depth": array, "covered": array, "scene": array, "grey": array}
    assert {name: sizes[f"{name}.png"] for name in shown} == shown
    assert len(sizes) == len(shown) + 2
    with Image.open(tmp_path / "cat_frames.gif") as animation:
        assert (animation.size, animation.n_frames) == (cat, 3)
    scene = np.load(tmp_path / "scene.npy")[..., [3, 2, 1]].astype(np.float64)
    picture = np.asarray(Image.open(tmp_path / "scene.png").convert("RGB")).astype(np.float64)
    for channel in range(3):
        assert np.corrcoef(scene[..., channel].ravel(), picture[..., channel].ravel())[0, 1] > 0.3, "the map lies on the chosen bands"


def _bare(call: re.Match[str]) -> str:
    """Return the call with bare pictures, whose size is that of the photo or array that they show. `predict` draws no map."""
    return call[0] if "/v1/predict" in call[0] else call[0].replace("-F model=", "-F annotate=false -F model=")


def _size(path: Path) -> tuple[int, int]:
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        return image.size
