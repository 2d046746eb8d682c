"""Feature inversion: an image that a layer answers as it answers the photo.

Mahendran and Vedaldi, Understanding deep image representations by inverting them, arXiv:1412.0035; moved is a spectrum with
decorrelated colour, as in Olah et al., Feature Visualization, Distill 2017.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8

from schemas.methods.synthesis.feature_inversion import FeatureInversion, FeatureInversionFacts, Inversion
from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from schemas.models import Preprocessing
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.colours import input_to_rgb, normalise
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.contract.synthesis import AscentSpec, AscentState, Objective
from workers.methods.artifact_names import artifact_names
from workers.methods.synthesis.ascent import dead_tile
from workers.methods.synthesis.presets import FOURIER_START, as_rgb
from workers.rendering import text
from workers.rendering.grid import grid

PREVIEW_SECONDS = 1.0
CAPTION_SHARE = 16  # a letter is as high as this share of a tile
RANGE = 2.0  # in which `total_variation` is weighed


@dataclass(frozen=True)
class Inverted:
    """One layer's: `image` (H, W, C) float32 RGB or grey in 0-1; `values` (steps,); both zeros where the layer's activations are,
    which then has no `error` and no `cosine`."""

    layer: str
    image: Float32[np.ndarray, "h w c"]
    values: Float32[np.ndarray, " steps"]
    error: float | None
    cosine: float | None


@dataclass(frozen=True)
class Inversions:
    """All layers', and the photo as the model gets it (H, W, 3)."""

    photo: UInt8[np.ndarray, "h w 3"]
    layers: tuple[Inverted, ...]


def run(probe: Probe, inputs: Inputs, params: FeatureInversion) -> Generator[Slice, None, Inversions]:
    """One ascent after another, in slices, with a picture of each about every second."""
    preprocessing = probe.description.preprocessing
    _, height, width, channels = inputs.tensor.shape
    paths = params.layers()
    wanted = probe.forward(inputs.tensor, paths, precision=params.precision).activations
    found: list[Inverted] = []
    for number, path in enumerate(paths):
        features, done = wanted[path][0], number * params.steps
        if not features.any():
            planes = 1 if preprocessing.order == "gray" else channels
            found.append(Inverted(path, np.zeros((height, width, planes), np.float32), np.zeros(params.steps, np.float32), None, None))
            continue
        ascent, shown = probe.ascend(spec(params, preprocessing, path, features, (height, width))), time.monotonic()
        while True:
            try:
                state = next(ascent)
            except StopIteration as stop:
                last: AscentState = stop.value
                break
            small = None
            if time.monotonic() - shown >= PREVIEW_SECONDS:
                small, shown = to_picture(state.images[0]), time.monotonic()
            yield Slice(done + state.step, len(paths) * params.steps, float(state.values[0, -1]) if state.step else None, small)
        seen = probe.forward(as_input(last.images[0], preprocessing, channels)[None], [path], precision=params.precision)
        found.append(Inverted(path, last.images[0], last.values[0], *compared(seen.activations[path][0], features)))
    return Inversions(input_to_rgb(inputs.tensor[0], preprocessing), tuple(found))


def batch_key(params: FeatureInversion) -> Hashable:
    return params.model_dump_json()


def spec(
    params: FeatureInversion, preprocessing: Preprocessing, layer: str, features: Float32[np.ndarray, "*axes"], size: tuple[int, int]
) -> AscentSpec:
    """The ascent towards a layer's activations (without the batch axis)."""
    contrast = RANGE / 255 * float(np.mean(preprocessing.std))  # of the model's input units, in those of a range of 2
    return AscentSpec(
        objective=Objective(params.objective, layer, features=features),
        parametrisation="fourier",
        size=size,
        steps=params.steps,
        learning_rate=params.learning_rate,
        optimizer="adam",
        gradient_norm="none",
        start=FOURIER_START,
        transforms=Transforms(),
        regularisers=Regularisers(total_variation=params.total_variation * contrast),
        seed=params.seed,
        precision=params.precision,
    )


def compared(activations: Float32[np.ndarray, "*axes"], features: Float32[np.ndarray, "*axes"]) -> tuple[float, float | None]:
    """‖A − F‖ / ‖F‖, and the cosine of the angle between A and F, None where A is 0. F is not 0."""
    a, f = activations.astype(np.float64).ravel(), features.astype(np.float64).ravel()
    length, own = float(np.linalg.norm(f)), float(np.linalg.norm(a))
    return float(np.linalg.norm(a - f)) / length, float(a @ f) / (own * length) if own else None


def as_input(image: Float32[np.ndarray, "h w c"], preprocessing: Preprocessing, channels: int) -> Float32[np.ndarray, "h w k"]:
    """The picture, rounded to 0-255, as the model takes it."""
    pixels = _rounded(image)
    return normalise(np.repeat(pixels, channels // pixels.shape[-1], axis=-1), preprocessing)


def to_picture(image: Float32[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w 3"]:
    return as_rgb(_rounded(image))


def draw(result: Inversions, photo: Photo | None, params: FeatureInversion) -> Output:
    """The sheet by depth, each image alone, the arrays; a layer that says nothing is a crossed tile."""
    del photo
    height, width = result.photo.shape[:2]
    pictures = [
        dead_tile(max(height, width))[:height, :width] if layer.error is None else to_picture(layer.image) for layer in result.layers
    ]
    captions = ["photo", *(layer.layer for layer in result.layers)]
    tiles = text.captioned(np.stack([result.photo, *pictures]), captions, size=max(8, width // CAPTION_SHARE))
    names = artifact_names([layer.layer for layer in result.layers])
    facts = FeatureInversionFacts(
        layers=tuple(
            Inversion(layer=layer.layer, objective=float(layer.values[-1]), error=layer.error, cosine=layer.cosine)
            for layer in result.layers
        )
    )
    artifacts = (
        Picture("sheet", grid(tiles, columns=params.columns, gap=4, background=text.PAPER), primary=True),
        *(Picture(f"inversion.{names[layer.layer]}", tile) for layer, tile in zip(result.layers, pictures, strict=True)),
        Array("images", np.stack([layer.image for layer in result.layers])),
        Array("curves", np.stack([layer.values for layer in result.layers])),
    )
    silent = ", ".join(layer.layer for layer in result.layers if layer.error is None)
    return Output(artifacts, facts, (f"All activations are 0 for this photo at {silent}: nothing to invert.",) if silent else ())


def _rounded(image: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c"]:
    return np.rint(image * 255).astype(np.uint8)
