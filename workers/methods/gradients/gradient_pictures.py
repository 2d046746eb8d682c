"""Pictures, arrays, facts and warnings of an attribution at the model's input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from schemas.methods.colormap import Colormap
from schemas.methods.gradients.base import GradientFacts, GradientParams, MagnitudeParams, PictureParams
from schemas.models import Preprocessing
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Photo
from workers.methods.cam import cam_pictures
from workers.methods.gradients.gradient_attribution import Attribution
from workers.rendering import scaling
from workers.rendering.overlays import OverlayAndHeatmap
from workers.rendering.overlays.blend import blend
from workers.rendering.overlays.diverging import blend_diverging
from workers.rendering.placement import onto_photo, used_part

# Of the map that is laid over the photo beside a picture in colour.
HEAT: Colormap = "inferno"

Drawing = Callable[[Float32[np.ndarray, "h w c"], Float32[np.ndarray, "h w"], Photo], OverlayAndHeatmap]
"""Attribution, its map and a photo → (overlay, picture), both at the photo's size."""


def draw_magnitude(result: Attribution, photo: Photo, params: MagnitudeParams) -> Output:
    """From black to the colormap's end."""
    return draw_by(result, photo, lambda _, values, shown: heat(values, shown, params.colormap, params))


def draw_signed(
    result: Attribution, photo: Photo, params: GradientParams, facts: type[GradientFacts] = GradientFacts, **more: Any
) -> Output:
    """Red for, blue against, white where there is nothing."""
    return draw_by(result, photo, lambda _, values, shown: signed(values, shown, params), facts, **more)


def draw_colour(
    result: Attribution, photo: Photo, params: GradientParams, facts: type[GradientFacts] = GradientFacts, **more: Any
) -> Output:
    """Each colour as far from mid grey as its value; over the photo the map as heat."""
    return draw_by(result, photo, lambda values, flat, shown: colour(values, flat, shown, result.preprocessing, params), facts, **more)


def draw_by(result: Attribution, photo: Photo, drawing: Drawing, facts: type[GradientFacts] = GradientFacts, **more: Any) -> Output:
    """Picture, overlay, attribution and map, as `GRADIENT_ARTIFACTS` lists them.

    Args:
        facts: with `more` beside the classes.

    Raises:
        NonFinite: the class scores themselves are not finite.
    """
    cam_pictures.check_scores(result.classes)
    shown = cam_pictures.small_enough(photo, len(result.classes))
    drawn = [drawing(values, flat, shown) for values, flat in zip(result.values, result.maps, strict=True)]
    over, picture = cam_pictures.sheets(drawn, result.classes, shown)
    return Output(
        artifacts=(
            Picture("picture", picture, primary=True),
            Picture("overlay", over),
            Array("attribution", result.values if result.listed else result.values[0]),
            Array("map", result.maps if result.listed else result.maps[0]),
        ),
        facts=facts(**dict(result.classes[0]), classes=result.classes, **more),
        warnings=(*degenerate(result), *cam_pictures.shrunk(f"{len(result.classes)} classes", shown, photo)),
    )


def heat(values: Float32[np.ndarray, "h w"], photo: Photo, colours: Colormap, params: PictureParams) -> OverlayAndHeatmap:
    return blend(scaling.heat(clipped(values, params.clip)), photo, colours, params.alpha)


def signed(values: Float32[np.ndarray, "h w"], photo: Photo, params: PictureParams) -> OverlayAndHeatmap:
    return blend_diverging(scaling.signed(clipped(values, params.clip)), photo, params.alpha)


def colour(
    values: Float32[np.ndarray, "h w c"],
    flat: Float32[np.ndarray, "h w"],
    photo: Photo,
    preprocessing: Preprocessing,
    params: PictureParams,
) -> OverlayAndHeatmap:
    over, _ = heat(flat, photo, HEAT, params)
    drawn = np.zeros_like(values) if scaling.why_degenerate(flat) else clipped(values, params.clip)
    return over, in_colour(drawn, photo, preprocessing)


def in_colour(values: Float32[np.ndarray, "h w c"], photo: Photo, preprocessing: Preprocessing) -> UInt8[np.ndarray, "H W 3"]:
    """0 is mid grey, the largest absolute value black or full; at the photo's size, black where the model did not look."""
    channels = values[..., ::-1] if preprocessing.order == "bgr" else values
    scaled = channels / np.float32(np.abs(channels).max() or 1) * np.float32(127.5) + np.float32(127.5)
    placed = [onto_photo(np.ascontiguousarray(scaled[..., c]), photo.placement, photo.image.shape) for c in range(scaled.shape[-1])]
    picture = np.zeros_like(photo.image)
    part = used_part(photo.placement, photo.image.shape)
    picture[part] = np.rint(np.stack(placed * (3 // len(placed)), axis=-1)[part]).astype(np.uint8)
    return picture


def clipped(values: Float32[np.ndarray, "*axes"], percentile: float) -> Float32[np.ndarray, "*axes"]:
    """Cut off at that percentile of the absolute values that are not 0."""
    strengths = np.abs(values[values != 0])
    if not strengths.size or not np.isfinite(strengths).all():
        return values
    limit = np.float32(np.percentile(strengths, percentile))
    return np.clip(values, -limit, limit)


def with_warnings(output: Output, warnings: Sequence[str]) -> Output:
    return replace(output, warnings=(*output.warnings, *warnings))


def degenerate(result: Attribution) -> Iterator[str]:
    """A warning for each map that cannot be scaled."""
    for scored, values in zip(result.classes, result.maps, strict=True):
        if why := scaling.why_degenerate(values):
            yield f"{cam_pictures.named(scored)}: the map is {why}; it is drawn as zeros."
