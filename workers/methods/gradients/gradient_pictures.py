"""The pictures, arrays, facts and warnings of an attribution at the model's input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from rendering import scaling
from rendering.bands import default_bands
from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.overlays.unseen import UNSEEN
from rendering.photo import Photo
from rendering.placement import onto_photo, used_part
from rendering.sheets import captioned_sheet, photo_for_tiles
from schemas.methods.colormap import Colormap
from schemas.methods.gradients.base import GradientFacts, GradientParams, MagnitudeParams, PictureParams
from schemas.models import Preprocessing
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.methods.class_scores import check_finite_scores
from workers.methods.degenerate_maps import degenerate_map_warnings
from workers.methods.gradients.input_attribution import InputAttribution
from workers.methods.sheets import class_captions, class_overlay, smaller_tiles_warning

# The colours of the map over the photo, if the picture itself is in the colours of the gradients.
OVERLAY_COLORMAP: Colormap = "inferno"
COLOUR_MEANING = "grey: 0 · brighter: above 0 · darker: below 0"


def heat_options(params: PictureParams, colours: Colormap) -> dict[str, Any]:
    """Return how a map without a sign is drawn, as options of `MapsOnPhoto`."""
    return {"clip": params.clip, "smooth": params.smooth, "alpha": params.alpha, "colormap": colours}


def signed_options(params: PictureParams) -> dict[str, Any]:
    """Return how a signed map is drawn, as options of `MapsOnPhoto`."""
    return {"clip": params.clip, "smooth": params.smooth, "alpha": params.alpha, "way": "diverging", "scaling": "signed"}


def draw_magnitude(result: InputAttribution, photo: Photo, params: MagnitudeParams) -> Output:
    """Return the output of a map without a sign, in the colours of the colormap."""
    overlay = class_overlay(result.classes, photo, **heat_options(params, params.colormap))
    return output_of(result, photo, overlay, None)


def draw_signed(
    result: InputAttribution, photo: Photo, params: PictureParams, facts: type[GradientFacts] = GradientFacts, **more: Any
) -> Output:
    """Return the output of a signed map: red speaks for the class, blue against it, white for nothing."""
    overlay = class_overlay(result.classes, photo, **signed_options(params))
    return output_of(result, photo, overlay, None, facts, **more)


def draw_colour(
    result: InputAttribution, photo: Photo, params: GradientParams, facts: type[GradientFacts] = GradientFacts, **more: Any
) -> Output:
    """Return the output of values in colour on mid grey; the overlay shows the map as heat."""
    overlay = class_overlay(result.classes, photo, **heat_options(params, OVERLAY_COLORMAP))
    picture = colour_sheet(
        result.values, result.maps, class_captions(result.classes), photo, preprocessing=result.preprocessing, params=params
    )
    return output_of(result, photo, overlay, picture, facts, **more)


def output_of(
    result: InputAttribution,
    photo: Photo,
    overlay: MapsOnPhoto,
    picture: UInt8[np.ndarray, "H W 3"] | None,
    facts: type[GradientFacts] = GradientFacts,
    **more: Any,
) -> Output:
    """Return the output of a gradient method. The artifacts are those of `GRADIENT_ARTIFACTS`.

    Args:
        overlay: draws the maps on the photo.
        picture: the values at the input alone. None stands for the maps alone, in the colours of the overlay.
        facts: the class of the method's facts.
        more: the facts beside the classes.

    Raises:
        NonFinite: a class score is not finite.
    """
    check_finite_scores(result.classes)
    return Output(
        artifacts=pictures_and_arrays(overlay, picture, result.values, result.maps, listed=result.listed),
        facts=facts(**dict(result.classes[0]), classes=result.classes, **more),
        warnings=(
            *degenerate_map_warnings(result.classes, result.maps),
            *smaller_tiles_warning("classes", len(result.classes), photo),
        ),
    )


def pictures_and_arrays(
    overlay: MapsOnPhoto,
    picture: UInt8[np.ndarray, "H W 3"] | None,
    values: Float32[np.ndarray, "n h w c"],
    maps: Float32[np.ndarray, "n h w"],
    *,
    listed: bool,
) -> tuple[Picture | PictureOfArrays | Array, ...]:
    """Return the artifacts of `GRADIENT_ARTIFACTS`. If `listed` is false, the arrays are those of the one class or channel."""
    arrays = Array("attribution", values if listed else values[0]), Array("map", maps if listed else maps[0])
    if picture is None:
        alone = Picture("picture", overlay.alone.draw({overlay.source: maps}), primary=True, drawing=overlay.alone)
    else:
        alone = Picture("picture", picture, primary=True, meaning=" · ".join(filter(None, (COLOUR_MEANING, overlay.alone.meaning))))
    return alone, PictureOfArrays.of("overlay", overlay, arrays), *arrays


def colour_sheet(
    values: Float32[np.ndarray, "n h w c"],
    maps: Float32[np.ndarray, "n h w"],
    captions: Sequence[str],
    photo: Photo,
    *,
    preprocessing: Preprocessing,
    params: PictureParams,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the values in colour, as tiles under their captions if there are several. Values with a degenerate map are drawn as zeros."""
    drawn = photo_for_tiles(photo, len(values))
    tiles = [
        in_colour(
            np.zeros_like(own) if scaling.why_degenerate(flat) else scaling.clipped(own, params.clip), drawn, preprocessing, params.bands
        )
        for own, flat in zip(values, maps, strict=True)
    ]
    return tiles[0] if len(tiles) == 1 else captioned_sheet(tiles, captions, drawn)


def in_colour(
    values: Float32[np.ndarray, "h w c"], photo: Photo, preprocessing: Preprocessing, bands: Sequence[int] | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """Return values at the input as a picture of the photo's size: 0 is mid grey, the largest absolute value is 0 or 255.

    The picture is light grey where the model did not look. `bands` are the channels of an array that are shown.
    """
    channels = values[..., ::-1] if preprocessing.order == "bgr" else values
    if bands is not None or values.shape[-1] not in (1, 3):
        channels = channels[..., list(bands or default_bands(values.shape[-1]))]
    scaled = channels / np.float32(np.abs(channels).max() or 1) * np.float32(127.5) + np.float32(127.5)
    placed = [onto_photo(np.ascontiguousarray(scaled[..., c]), photo.placement, photo.image.shape) for c in range(scaled.shape[-1])]
    picture = np.full_like(photo.image, UNSEEN)
    part = used_part(photo.placement, photo.image.shape)
    picture[part] = np.rint(np.stack(placed * (3 // len(placed)), axis=-1)[part]).astype(np.uint8)
    return picture


def with_warnings(output: Output, warnings: Sequence[str]) -> Output:
    """Return the output with more warnings."""
    return replace(output, warnings=(*output.warnings, *warnings))
