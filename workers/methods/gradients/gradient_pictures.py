"""The pictures, arrays, facts and warnings of an attribution at the model's input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from rendering import scaling
from rendering.overlays import OverlayAndHeatmap
from rendering.overlays.blend import blend
from rendering.overlays.diverging import blend_diverging
from rendering.photo import Photo
from rendering.placement import onto_photo, used_part
from schemas.methods.colormap import Colormap
from schemas.methods.gradients.base import GradientFacts, GradientParams, MagnitudeParams, PictureParams
from schemas.models import Preprocessing
from workers.contract.artifacts import Array, Output, Picture
from workers.methods.class_scores import check_finite_scores
from workers.methods.degenerate_maps import degenerate_map_warnings
from workers.methods.gradients.input_attribution import InputAttribution
from workers.methods.sheets import class_sheets, photo_for_tiles, smaller_tiles_warning

# The colours of the map over the photo, if the picture itself is in the colours of the gradients.
OVERLAY_COLORMAP: Colormap = "inferno"

DrawAttribution = Callable[[Float32[np.ndarray, "h w c"], Float32[np.ndarray, "h w"], Photo], OverlayAndHeatmap]
"""Draws the values at the input and their map over a photo: returns overlay and picture, both of the photo's size."""


def draw_magnitude(result: InputAttribution, photo: Photo, params: MagnitudeParams) -> Output:
    """Return the output of a map without a sign, in the colours of the colormap."""
    return draw_with(result, photo, lambda _, flat, drawn: heat_picture(flat, drawn, params.colormap, params))


def draw_signed(
    result: InputAttribution, photo: Photo, params: GradientParams, facts: type[GradientFacts] = GradientFacts, **more: Any
) -> Output:
    """Return the output of a signed map: red speaks for the class, blue against it, white for nothing."""
    return draw_with(result, photo, lambda _, flat, drawn: signed_picture(flat, drawn, params), facts, **more)


def draw_colour(
    result: InputAttribution, photo: Photo, params: GradientParams, facts: type[GradientFacts] = GradientFacts, **more: Any
) -> Output:
    """Return the output of values in colour on mid grey; the overlay shows the map as heat."""
    return draw_with(
        result, photo, lambda values, flat, drawn: colour_picture(values, flat, drawn, result.preprocessing, params), facts, **more
    )


def draw_with(
    result: InputAttribution, photo: Photo, draw: DrawAttribution, facts: type[GradientFacts] = GradientFacts, **more: Any
) -> Output:
    """Return the output of a gradient method. The artifacts are those of `GRADIENT_ARTIFACTS`.

    Args:
        draw: draws one class.
        facts: the class of the method's facts.
        more: the facts beside the classes.

    Raises:
        NonFinite: a class score is not finite.
    """
    check_finite_scores(result.classes)
    drawn = photo_for_tiles(photo, len(result.classes))
    tiles = [draw(values, flat, drawn) for values, flat in zip(result.values, result.maps, strict=True)]
    overlay, picture = class_sheets(tiles, result.classes, drawn)
    return Output(
        artifacts=(
            Picture("picture", picture, primary=True),
            Picture("overlay", overlay),
            Array("attribution", result.values if result.listed else result.values[0]),
            Array("map", result.maps if result.listed else result.maps[0]),
        ),
        facts=facts(**dict(result.classes[0]), classes=result.classes, **more),
        warnings=(
            *degenerate_map_warnings(result.classes, result.maps),
            *smaller_tiles_warning(f"{len(result.classes)} classes", drawn, photo),
        ),
    )


def heat_picture(flat: Float32[np.ndarray, "h w"], photo: Photo, colours: Colormap, params: PictureParams) -> OverlayAndHeatmap:
    """Draw a map without a sign."""
    return blend(scaling.heat(clipped(flat, params.clip)), photo, colours, params.alpha)


def signed_picture(flat: Float32[np.ndarray, "h w"], photo: Photo, params: PictureParams) -> OverlayAndHeatmap:
    """Draw a signed map."""
    return blend_diverging(scaling.signed(clipped(flat, params.clip)), photo, params.alpha)


def colour_picture(
    values: Float32[np.ndarray, "h w c"],
    flat: Float32[np.ndarray, "h w"],
    photo: Photo,
    preprocessing: Preprocessing,
    params: PictureParams,
) -> OverlayAndHeatmap:
    """Draw the values in colour, and their map over the photo as heat."""
    overlay, _ = heat_picture(flat, photo, OVERLAY_COLORMAP, params)
    visible = np.zeros_like(values) if scaling.why_degenerate(flat) else clipped(values, params.clip)
    return overlay, in_colour(visible, photo, preprocessing)


def in_colour(values: Float32[np.ndarray, "h w c"], photo: Photo, preprocessing: Preprocessing) -> UInt8[np.ndarray, "H W 3"]:
    """Return values at the input as a picture of the photo's size: 0 is mid grey, the largest absolute value is 0 or 255.

    The picture is black where the model did not look.
    """
    channels = values[..., ::-1] if preprocessing.order == "bgr" else values
    scaled = channels / np.float32(np.abs(channels).max() or 1) * np.float32(127.5) + np.float32(127.5)
    placed = [onto_photo(np.ascontiguousarray(scaled[..., c]), photo.placement, photo.image.shape) for c in range(scaled.shape[-1])]
    picture = np.zeros_like(photo.image)
    part = used_part(photo.placement, photo.image.shape)
    picture[part] = np.rint(np.stack(placed * (3 // len(placed)), axis=-1)[part]).astype(np.uint8)
    return picture


def clipped(values: Float32[np.ndarray, "*axes"], percentile: float) -> Float32[np.ndarray, "*axes"]:
    """Return the values cut off at a percentile (0-100) of the absolute values that are not 0.

    Values that are not finite everywhere are returned as they are.
    """
    strengths = np.abs(values[values != 0])
    if not strengths.size or not np.isfinite(strengths).all():
        return values
    limit = np.float32(np.percentile(strengths, percentile))
    return np.clip(values, -limit, limit)


def with_warnings(output: Output, warnings: Sequence[str]) -> Output:
    """Return the output with more warnings."""
    return replace(output, warnings=(*output.warnings, *warnings))
