"""Turn synthesised images into pictures: one image, a grid of tiles and a small preview."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, UInt8

from rendering.drawings.synthesised_image import PixelUnits, SynthesisedImage
from rendering.grid import grid
from schemas.methods.synthesis.ascent_params import AscentParams
from schemas.models import Preprocessing
from workers.methods.synthesis.recipes import RECIPES, pixel_units

PREVIEW_TILES, PREVIEW_SIDE = 64, 64


def image_drawing(params: AscentParams, preprocessing: Preprocessing, index: int, *, dead: bool) -> SynthesisedImage:
    """Return the drawing of one image of the array `images` as its preset draws it. `dead` says that no gradient ever reached it."""
    return SynthesisedImage(index=index, units=_units(params, preprocessing), dead=dead)


def synthesised_picture(
    params: AscentParams, preprocessing: Preprocessing, image: Float32[np.ndarray, "h w c"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a synthesised image as its preset draws it."""
    drawing = image_drawing(params, preprocessing, 0, dead=False)
    return drawing.draw({drawing.source: image[None]})


def _units(params: AscentParams, preprocessing: Preprocessing) -> PixelUnits | None:
    return pixel_units(RECIPES[params.preset], preprocessing) if params.parametrisation == "pixel" else None


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
