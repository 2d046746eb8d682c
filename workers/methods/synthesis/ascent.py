"""What `filters` and `filter_atlas` share: the ascent that parameters ask for, and how synthesised images become pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from schemas.methods.synthesis.ascent_params import AscentParams
from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from schemas.models import Preprocessing
from workers.contract.arrays import Arrays
from workers.contract.synthesis import AscentSpec, AscentState, Objective
from workers.methods.synthesis.presets import RECIPES, STARTS, as_rgb, picture, units
from workers.rendering.grid import grid

PREVIEW_SECONDS = 1.0
PREVIEW_TILES, PREVIEW_SIDE = 64, 64
DEAD_LEVEL, CROSS_LEVEL = 64, 128


def ascent(params: AscentParams, objective: Objective, preprocessing: Preprocessing) -> AscentSpec:
    """The ascent towards `objective` that complete parameters ask for."""
    recipe = RECIPES[params.preset]
    size, steps = params.size or 0, params.steps or 0
    scale, offset = units(recipe, preprocessing)
    return AscentSpec(
        objective=objective,
        parametrisation=params.parametrisation or "fourier",
        size=(size, size),
        steps=steps,
        learning_rate=params.learning_rate or 0.0,
        optimizer=recipe.optimizer,
        gradient_norm=recipe.gradient_norm,
        start=STARTS.get(params.parametrisation or "fourier", recipe.start),
        transforms=params.transforms or Transforms(),
        regularisers=params.regularisers or Regularisers(),
        seed=params.seed,
        precision=params.precision,
        scale=scale,
        offset=offset,
        redirect=recipe.redirect,
    )


def work_of(params: AscentParams, layer: str) -> str:
    """What decides a channel's image: equal works, equal images. How they are tiled does not matter."""
    shared = params.model_dump(mode="json", include=set(AscentParams.model_fields) - {"columns"})
    return json.dumps({"layer": layer, **shared}, sort_keys=True)


def piece(state: AscentState, index: int) -> Arrays:
    """A finished image as others may reuse it."""
    return {"image": state.images[index], "values": state.values[index], "seen": state.gradient_seen[index]}


def preview(params: AscentParams, preprocessing: Preprocessing, images: Float32[np.ndarray, "n h w c"]) -> UInt8[np.ndarray, "H W 3"]:
    """The first images, each averaged down to about 64 px, tiled."""
    return tiled(params, [shrunk(to_picture(params, preprocessing, image)) for image in images[:PREVIEW_TILES]])


def tiled(params: AscentParams, tiles: Sequence[UInt8[np.ndarray, "h w 3"]]) -> UInt8[np.ndarray, "H W 3"]:
    """Tiles in the order and on the background of the preset."""
    recipe = RECIPES[params.preset]
    return grid(tiles, columns=params.columns, gap=1, background=recipe.background, order=recipe.order)


def to_picture(params: AscentParams, preprocessing: Preprocessing, image: Float32[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "H W 3"]:
    """A synthesised image as its preset draws it."""
    if params.parametrisation == "pixel":
        return picture(RECIPES[params.preset], preprocessing, image)
    return as_rgb(np.rint(image * 255).astype(np.uint8))


def ranking(values: Float32[np.ndarray, " n"], alive: Bool[np.ndarray, " n"]) -> list[int]:
    """Indices from the highest value to the lowest, then the dead ones; equal ones in their own order."""
    return sorted(range(len(values)), key=lambda index: (not alive[index], -values[index]))


def dead_tile(side: int) -> UInt8[np.ndarray, "side side 3"]:
    """Dark grey with a diagonal cross."""
    rows, columns = np.indices((side, side))
    cross = np.minimum(abs(rows - columns), abs(rows + columns - (side - 1))) <= side // 64
    return np.repeat(np.where(cross, CROSS_LEVEL, DEAD_LEVEL).astype(np.uint8)[..., None], 3, axis=-1)


def shrunk(image: UInt8[np.ndarray, "h w 3"], side: int = PREVIEW_SIDE) -> UInt8[np.ndarray, "H W 3"]:
    """Averaged over blocks of a whole factor, so that the shorter side stays above `side` and below twice that; what is left over at
    the ends is cut off. A smaller one as it is."""
    factor = max(1, min(image.shape[:2]) // side)
    height, width = image.shape[0] // factor, image.shape[1] // factor
    blocks = image[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return blocks.mean(axis=(1, 3)).astype(np.uint8)
