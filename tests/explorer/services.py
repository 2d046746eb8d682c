"""Start real services for the page, in processes of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.wait import wait_until

ROOT = Path(__file__).parents[2]
_READY = re.compile(r"is ready on (http://127\.0\.0\.1:\d+)")
_LISTENS = re.compile(r'"port": (\d+).*"service listens"')


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run `convscope serve` in `folder`, and yield its address.

    Three of its models are files: `nested` has layers inside a layer, `cutting` sees the lower half of a photo alone, and `torn` cannot
    be used.
    """
    (folder / "models").mkdir()
    _save_nested_model(folder / "models" / "nested.keras")
    _save_cutting_model(folder / "models" / "cutting.keras")
    (folder / "models" / "torn.keras").write_bytes(b"no zip")
    (folder / "models" / "torn.toml").write_text("title = ")
    with _running(folder, "serve", {}) as log:
        wait_until(lambda: _READY.search(log.read_text("utf-8")), 150)
        found = _READY.search(log.read_text("utf-8"))
        assert found
        yield found[1]


def _save_nested_model(path: Path) -> None:
    """Save a model of 32 × 32 pixels and three classes, whose first layers are a model of their own, `base`."""
    import keras

    keras.utils.set_random_seed(0)
    base = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="first"),
            keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="second"),
        ],
        name="base",
    )
    photo = keras.Input((32, 32, 3), name="photo")
    maps = base(photo)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(maps)
    keras.Model(photo, keras.layers.Dense(3, activation="softmax", name="answer")(pooled)).save(path)


def _save_cutting_model(path: Path) -> None:
    """Save a model of 64 × 64 pixels that cuts off the upper half inside. Its first class is the brightness of the rest."""
    import keras
    import numpy as np

    photo = keras.Input((64, 64, 3), name="photo")
    lower = keras.layers.Cropping2D(((32, 0), (0, 0)), name="lower_half")(photo)
    cells = keras.layers.AveragePooling2D(4, name="cells")(lower)
    bright = keras.layers.Conv2D(1, 1, activation="relu", name="brightness")(cells)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(bright)
    model = keras.Model(photo, keras.layers.Dense(3, activation="softmax", name="answer")(pooled))
    model.get_layer("brightness").set_weights([np.ones((1, 1, 3, 1), np.float32), np.zeros(1, np.float32)])
    model.get_layer("answer").set_weights([np.array([[1, -1, 0]], np.float32), np.zeros(3, np.float32)])
    model.save(path)


@contextmanager
def without_workers(folder: Path, redis_url: str, *, auth: str) -> Iterator[str]:
    """Run `convscope api` alone, and yield its address. Nobody runs its jobs."""
    with _running(folder, "api", {"CONVSCOPE_REDIS_URL": redis_url, "CONVSCOPE_AUTH": auth}) as log:
        wait_until(lambda: _LISTENS.search(log.read_text("utf-8")), 60)
        found = _LISTENS.search(log.read_text("utf-8"))
        assert found
        yield f"http://127.0.0.1:{found[1]}"


def added_key(folder: Path, redis_url: str) -> str:
    """Return an API key that may read and submit."""
    command = [sys.executable, "-m", "cli.main", "keys", "add", "ada"]
    answer = subprocess.run(
        command, cwd=folder, env=_environment(folder, {"CONVSCOPE_REDIS_URL": redis_url}), capture_output=True, check=True
    )
    found = re.search(r"cs_\S+", answer.stdout.decode())
    assert found
    return found[0]


@contextmanager
def _running(folder: Path, command: str, settings: dict[str, str]) -> Iterator[Path]:
    log = folder / f"{command}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", command, "--port", "0"],
            cwd=folder,
            env=_environment(folder, settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield log
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        psutil.wait_procs(children, 60)


def _environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONVSCOPE_")}
    return kept | {"CONVSCOPE_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(ROOT)} | settings
