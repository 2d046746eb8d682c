"""Time Grad-CAM and filter synthesis in the engine beside the loops that keras.io publishes.

The models have random weights, because weights do not change the times. Times differ from run to run, so compare times of one run only.

Example:
    python -m benchmarks --rounds 3 --models mobilenet_v2 --filters 8
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks import keras_io
from benchmarks.timing import Timing, compare, write
from catalog.catalog import load_catalog
from schemas.limits import MethodLimits
from schemas.methods.cam.grad_cam import GradCam
from schemas.methods.synthesis.filters import Filters
from workers.contract.inputs import Inputs
from workers.methods.cam import grad_cam
from workers.methods.synthesis import filters
from workers.models.loading import load_model
from workers.models.pool import LoadedModel, ModelPool

_PEER, _OURS = "keras.io", "convscope"
_BFLOAT16 = f"{_OURS}, bfloat16"
_NO_PHOTO = Inputs(np.empty((0, 1, 1, 3), np.float32))
_MODELS = {"vgg16": "block5_conv3", "resnet50": "conv5_block3_out", "mobilenet_v2": "out_relu"}
_FILTER_LAYER, _SIDE, _STEPS = "block3_conv1", 128, 30


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="the number of rounds that count")
    parser.add_argument("--models", nargs="+", choices=list(_MODELS), default=list(_MODELS), help="the models for Grad-CAM")
    parser.add_argument("--filters", type=int, nargs="*", default=[8, 64], help="the numbers of channels to synthesise")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models_file = Path(folder) / "models.toml"
        models_file.write_text("".join(f'[{name}]\nweights = "random"\n' for name in _MODELS), "utf-8")
        catalog = load_catalog(models_file, Path(folder))
        pool = ModelPool(catalog, 8 * 2**30)
        rows: list[Timing] = []
        for name in arguments.models:
            # The peer gets its own copy of the model, because it changes the model.
            rows += _grad_cam_rows(pool.get(name), load_model(catalog[name]), arguments.rounds)
        if arguments.filters:
            headless = keras.applications.VGG16(weights=None, include_top=False)  # like the example's model, it takes images of any size
            rows += _filter_rows(pool.get("vgg16"), headless, arguments.filters, min(3, arguments.rounds))
    print(write(rows, "keras_io"))


def _grad_cam_rows(loaded: LoadedModel, peer_model: keras.Model, rounds: int) -> list[Timing]:
    layer = _MODELS[loaded.name]
    published = loaded.published
    wanted = GradCam(layer=layer).resolve(published, MethodLimits())
    peer = keras_io.grad_cam(peer_model, layer)
    rng = np.random.default_rng(0)
    side = published.description.input.height or 224
    photos = rng.integers(0, 256, (8, side, side, 3), dtype=np.uint8)
    tensor = np.stack([loaded.prepare(photo)[0] for photo in photos])
    _check_equal(loaded, wanted, tensor[:1], peer)
    rows: list[Timing] = []
    for count in (1, 8):
        batch = tensor[:count]
        implementations: dict[str, Callable[[], object]] = {_PEER: lambda batch=batch: [peer(image[None]) for image in batch]}
        for title, precision in ((_OURS, "float32"), (_BFLOAT16, "bfloat16")):
            jobs = [wanted.changed(precision=precision)] * count
            implementations[title] = lambda batch=batch, jobs=jobs: grad_cam.run(loaded.probe, Inputs(batch), jobs)
        rows.append(compare("Grad-CAM", loaded.name, implementations, count, rounds))
    return rows


def _filter_rows(loaded: LoadedModel, peer_model: keras.Model, counts: Sequence[int], rounds: int) -> list[Timing]:
    rows: list[Timing] = []
    for count in counts:
        channels = tuple(range(count))
        implementations: dict[str, Callable[[], object]] = {_PEER: _PeerFilters(peer_model, channels)}
        for title, precision in ((_OURS, "float32"), (_BFLOAT16, "bfloat16")):
            params = Filters(preset="keras_io", layer=_FILTER_LAYER, channels=channels, size=_SIDE, steps=_STEPS, precision=precision)
            resolved = params.resolve(loaded.published, MethodLimits())
            implementations[title] = lambda resolved=resolved: _result_of(filters.run(loaded.probe, _NO_PHOTO, resolved))
        rows.append(compare(f"filters, {_FILTER_LAYER}, {_SIDE}², {_STEPS} steps", loaded.name, implementations, count, rounds))
    return rows


class _PeerFilters:
    """Synthesise all channels one after the other. Each call makes the loop anew, as each run of the example does."""

    def __init__(self, model: keras.Model, channels: tuple[int, ...]) -> None:
        self._model, self._channels = model, channels

    def __call__(self) -> object:
        synthesise = keras_io.filters(self._model, _FILTER_LAYER, _SIDE, _STEPS)
        return [synthesise(channel) for channel in self._channels]


def _check_equal(loaded: LoadedModel, params: GradCam, tensor: np.ndarray, peer: Callable[[np.ndarray], np.ndarray]) -> None:
    """Check that both compute the same map before their times are compared.

    Raises:
        SystemExit: the map is zero everywhere, so the check would prove nothing.
        AssertionError: the maps differ.
    """
    ours = grad_cam.run(loaded.probe, Inputs(tensor), [params])[0].maps[0]
    theirs = peer(tensor)
    if not ours.any():
        raise SystemExit(f"The map of {loaded.name} is zero everywhere, so it proves nothing. Use another seed.")
    np.testing.assert_allclose(ours / ours.max(), theirs, atol=1e-3)


def _result_of(slices: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(slices)
        except StopIteration as end:
            return end.value


if __name__ == "__main__":
    main()
