"""Turn synthesised images into pictures: one image, a grid of tiles, a small preview, and the tile that stands for a dead image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32, UInt8

from rendering.grid import grid
from schemas.methods.synthesis.ascent_params import AscentParams
from schemas.models import Preprocessing
from workers.methods.synthesis.recipes import RECIPES, Recipe, units

PREVIEW_TILES, PREVIEW_SIDE = 64, 64
DEAD_LEVEL, CROSS_LEVEL = 64, 128


def synthesised_picture(
    params: AscentParams, preprocessing: Preprocessing, image: Float32[np.ndarray, "h w c"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a synthesised image as its preset draws it."""
    if params.parametrisation == "pixel":
        return pixel_picture(RECIPES[params.preset], preprocessing, image)
    return as_rgb(np.rint(image * 255).astype(np.uint8))


def pixel_picture(recipe: Recipe, preprocessing: Preprocessing, image: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return an image of the parametrisation `pixel`, which is in the model's input units, as the preset's source draws it.

    The sources draw a BGR model's input as if it were RGB, and so do their presets. `lucid` draws the true colours.
    """
    scale, offset = (np.array(numbers, image.dtype) for numbers in units(recipe, preprocessing))
    drawn = recipe.picture((image - offset) / scale)
    return as_rgb(drawn[..., ::-1] if recipe.true_colours and preprocessing.order == "bgr" else drawn)


def as_rgb(image: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return an image of three channels unchanged, and one of any other number as the grey of their mean."""
    return image if image.shape[-1] == 3 else np.repeat(image.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)


def tiled(params: AscentParams, tiles: Sequence[UInt8[np.ndarray, "h w 3"]]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the tiles 1 pixel apart, in the order and on the background of the preset."""
    recipe = RECIPES[params.preset]
    return grid(tiles, columns=params.columns, gap=1, background=recipe.background, order=recipe.order)


def preview(params: AscentParams, preprocessing: Preprocessing, images: Float32[np.ndarray, "n h w c"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return up to 64 of the images as tiles, each averaged down to about 64 pixels a side."""
    return tiled(params, [averaged_down(synthesised_picture(params, preprocessing, image)) for image in images[:PREVIEW_TILES]])


def averaged_down(image: UInt8[np.ndarray, "h w 3"], side: int = PREVIEW_SIDE) -> UInt8[np.ndarray, "H W 3"]:
    """Return the image averaged over square blocks, so that its shorter side has at least `side` pixels and less than twice as many.

    Rows and columns that fill no block are cut off. An image with a shorter side is returned as it is.
    """
    factor = max(1, min(image.shape[:2]) // side)
    height, width = image.shape[0] // factor, image.shape[1] // factor
    blocks = image[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return blocks.mean(axis=(1, 3)).astype(np.uint8)


def dead_tile(side: int) -> UInt8[np.ndarray, "side side 3"]:
    """Return a dark grey tile with a diagonal cross, which stands for an image that no gradient ever reached."""
    rows, columns = np.indices((side, side))
    cross = np.minimum(abs(rows - columns), abs(rows + columns - (side - 1))) <= side // 64
    return np.repeat(np.where(cross, CROSS_LEVEL, DEAD_LEVEL).astype(np.uint8)[..., None], 3, axis=-1)
