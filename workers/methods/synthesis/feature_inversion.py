"""Feature inversion: make an image for which a layer has the same activation as for the photo.

Source: Mahendran and Vedaldi, Understanding deep image representations by inverting them, arXiv:1412.0035. Unlike there, ascent changes a
spectrum with decorrelated colours, as in Olah et al., Feature Visualization, Distill 2017.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Float32, UInt8

from rendering import text
from rendering.drawings.synthesised_image import SynthesisedImage, as_rgb
from rendering.grid import grid
from rendering.photo import Photo
from schemas.methods.synthesis.feature_inversion import FeatureInversion, FeatureInversionFacts, Inversion
from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from schemas.models import Preprocessing
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.contract.colours import input_to_rgb, normalise
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.contract.synthesis import AscentSpec, AscentState, Objective
from workers.methods.artifact_names import artifact_names
from workers.methods.synthesis.previews import slices_with_previews
from workers.methods.synthesis.recipes import FOURIER_START

SMALLEST_CAPTION = 11  # pixels, of the letters above a tile of an annotated sheet
CAPTION_SHARE = 16  # a tile is this many times as wide as a caption's letters are high
MOST_RESIDUAL = 0.3  # a larger relative distance from the photo's activation is worth a warning
RANGE = 2.0  # the distance from black to white in which `total_variation` is weighed


@dataclass(frozen=True)
class InvertedLayer:
    """The inversion of one layer. If the layer's activation for the photo is 0 everywhere, there is nothing to invert.

    Attributes:
        layer: The path of the layer.
        image: float32 (H, W, C), RGB or grey in 0-1; zeros if there is nothing to invert.
        values: float32 (steps,), the objective at each step; zeros if there is nothing to invert.
        error: ‖A − F‖ / ‖F‖ for the activations A of the image and F of the photo; None if there is nothing to invert.
        cosine: The cosine of the angle between A and F; None if one of them is 0 everywhere.
    """

    layer: str
    image: Float32[np.ndarray, "h w c"]
    values: Float32[np.ndarray, " steps"]
    error: float | None
    cosine: float | None


@dataclass(frozen=True)
class LayerInversions:
    """The inversions of all layers, and the photo as the model gets it, uint8 RGB (H, W, 3)."""

    photo: UInt8[np.ndarray, "h w 3"]
    layers: tuple[InvertedLayer, ...]


def run(probe: Probe, inputs: Inputs, params: FeatureInversion) -> Generator[Slice, None, LayerInversions]:
    """Run one ascent for each layer, in slices with a preview about once a second."""
    preprocessing = probe.description.preprocessing
    _, height, width, channels = inputs.tensor.shape
    paths = params.layers()
    wanted = probe.forward(inputs.tensor, paths, precision=params.precision).activations
    found: list[InvertedLayer] = []
    for number, path in enumerate(paths):
        features, done = wanted[path][0], number * params.steps
        if not features.any():
            planes = 1 if preprocessing.order == "gray" else channels
            found.append(InvertedLayer(path, np.zeros((height, width, planes), np.float32), np.zeros(params.steps, np.float32), None, None))
            continue
        last = yield from slices_with_previews(
            probe.ascend(spec(params, preprocessing, path, features, (height, width))),
            lambda state: inversion_picture(state.images[0]),
            partial(_slice, done=done, total=len(paths) * params.steps),
        )
        yield _slice(last, None, done=done, total=len(paths) * params.steps)
        seen = probe.forward(as_input(last.images[0], preprocessing, channels)[None], [path], precision=params.precision)
        found.append(InvertedLayer(path, last.images[0], last.values[0], *compared(seen.activations[path][0], features)))
        yield _slice(last, None, done=done, total=len(paths) * params.steps)
    return LayerInversions(input_to_rgb(inputs.tensor[0], preprocessing), tuple(found))


def _slice(state: AscentState, picture: UInt8[np.ndarray, "h w 3"] | None, *, done: int, total: int) -> Slice:
    return Slice(done + state.step, total, float(state.values[0, -1]) if state.step else None, picture)


def spec(
    params: FeatureInversion, preprocessing: Preprocessing, layer: str, features: Float32[np.ndarray, "*axes"], size: tuple[int, int]
) -> AscentSpec:
    """Return the ascent towards `features`, the layer's activation for the photo without the batch axis."""
    contrast = RANGE / 255 * float(np.mean(preprocessing.std))  # converts a contrast in input units to a range of 2
    return AscentSpec(
        objective=Objective(params.objective, layer, features=features),
        parametrisation="fourier",
        size=size,
        steps=params.steps,
        learning_rate=params.learning_rate,
        optimizer=params.optimizer or "lbfgs",
        gradient_norm="none",
        start=FOURIER_START,
        transforms=Transforms(),
        regularisers=Regularisers(total_variation=params.total_variation * contrast),
        seed=params.seed,
        precision=params.precision,
    )


def compared(activations: Float32[np.ndarray, "*axes"], features: Float32[np.ndarray, "*axes"]) -> tuple[float, float | None]:
    """Return ‖A − F‖ / ‖F‖, and the cosine of the angle between A and F, which is None if A is 0. F must not be 0."""
    a, f = activations.astype(np.float64).ravel(), features.astype(np.float64).ravel()
    length, own = float(np.linalg.norm(f)), float(np.linalg.norm(a))
    return float(np.linalg.norm(a - f)) / length, float(a @ f) / (own * length) if own else None


def as_input(image: Float32[np.ndarray, "h w c"], preprocessing: Preprocessing, channels: int) -> Float32[np.ndarray, "h w k"]:
    """Return an image of 0-1, rounded to 256 levels, as the model takes it."""
    pixels = _rounded(image)
    return normalise(np.repeat(pixels, channels // pixels.shape[-1], axis=-1), preprocessing)


def inversion_picture(image: Float32[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return an image of 0-1 as an RGB picture."""
    return as_rgb(_rounded(image))


def draw(result: LayerInversions, photo: Photo | None, params: FeatureInversion) -> Output:
    """Draw the sheet and each image alone. A layer without anything to invert is a crossed tile."""
    del photo
    width = result.photo.shape[1]
    images = Array("images", np.stack([layer.image for layer in result.layers]))
    drawings = [SynthesisedImage(index=index, dead=layer.error is None) for index, layer in enumerate(result.layers)]
    pictures = [drawing.draw({images.name: images.array}) for drawing in drawings]
    tiles, letters = np.stack([result.photo, *pictures]), max(8, width // CAPTION_SHARE)
    if params.annotate:  # the residual has a line of its own, so that no long path cuts it off
        letters = max(SMALLEST_CAPTION, letters)
        tiles = text.captioned(tiles, ["", *map(_residual, result.layers)], letters)
        tiles = text.captioned(tiles, ["photo", *(layer.layer for layer in result.layers)], letters)
    else:
        tiles = text.captioned(tiles, ["photo", *map(_caption, result.layers)], letters)
    names = artifact_names([layer.layer for layer in result.layers])
    facts = FeatureInversionFacts(
        layers=tuple(
            Inversion(layer=layer.layer, objective=float(layer.values[-1]), error=layer.error, cosine=layer.cosine)
            for layer in result.layers
        )
    )
    artifacts = (
        Picture("sheet", grid(tiles, columns=params.columns, gap=4, background=text.PAPER), primary=True),
        *(
            PictureOfArrays.of(f"inversion.{names[layer.layer]}", drawing, [images])
            for layer, drawing in zip(result.layers, drawings, strict=True)
        ),
        images,
        Array("curves", np.stack([layer.values for layer in result.layers])),
    )
    return Output(artifacts, facts, tuple(_warnings(result, params)))


def _caption(layer: InvertedLayer) -> str:
    return layer.layer if layer.error is None else f"{layer.layer} · {_residual(layer)}"


def _residual(layer: InvertedLayer) -> str:
    return "nothing to invert" if layer.error is None else f"residual {layer.error:.2f}"


def _warnings(result: LayerInversions, params: FeatureInversion) -> Iterator[str]:
    if silent := ", ".join(layer.layer for layer in result.layers if layer.error is None):
        yield f"All activations for this photo are 0 at {silent}, so there is nothing to invert."
    far = [layer for layer in result.layers if layer.error is not None and layer.error > MOST_RESIDUAL]
    if far and params.objective == "l2":
        found = ", ".join(f"{layer.layer} ({layer.error:.2f})" for layer in far)
        yield (
            f"After {params.steps} steps the images are still far from the photo's activation at {found}. These numbers are the relative "
            f"distances ‖A − F‖ / ‖F‖, and up to {MOST_RESIDUAL} counts as near. What is missing in these images may still be known to "
            "the layer. More steps may help, and for the deepest layers the objective `dot_cosine`."
        )


def _rounded(image: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c"]:
    return np.rint(image * 255).astype(np.uint8)
