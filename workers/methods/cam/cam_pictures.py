"""The pictures, arrays, facts and warnings of a class activation map."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float32

from rendering import scaling
from rendering.overlays import OverlayAndHeatmap
from rendering.overlays.blend import blend
from rendering.photo import Photo
from schemas.methods.cam.base import CamFacts, CamParams
from workers.contract.artifacts import Array, Output, Picture
from workers.methods.artifact_names import artifact_names
from workers.methods.cam.cam_result import CamResult
from workers.methods.class_scores import check_finite_scores
from workers.methods.degenerate_maps import degenerate_map_warnings
from workers.methods.sheets import class_sheets, photo_for_tiles, smaller_tiles_warning

DrawOverlay = Callable[[Float32[np.ndarray, "h w"], Photo], OverlayAndHeatmap]
"""Draws a map over a photo: returns overlay and heatmap, both of the photo's size."""


def draw(result: CamResult, photo: Photo, params: CamParams) -> Output:
    """Return the output of a CAM in the colours asked for. The artifacts are those of `CAM_ARTIFACTS`.

    Raises:
        NonFinite: a class score is not finite.
    """
    return draw_with(result, photo, lambda heat, drawn: blend(heat, drawn, params.colormap, params.alpha))


def draw_with(result: CamResult, photo: Photo, draw_overlay: DrawOverlay) -> Output:
    """Return the output of a CAM whose overlay is drawn in a way of its own.

    Args:
        draw_overlay: gets a map scaled to 0-1.

    Raises:
        NonFinite: a class score is not finite.
    """
    check_finite_scores(result.classes)
    drawn = photo_for_tiles(photo, len(result.classes))
    overlay, heatmap = class_sheets([draw_overlay(scaling.heat(values), drawn) for values in result.maps], result.classes, drawn)
    return Output(
        artifacts=(Picture("overlay", overlay, primary=True), Picture("heatmap", heatmap), *_arrays(result)),
        facts=cam_facts(result),
        warnings=(*cam_warnings(result), *smaller_tiles_warning(f"{len(result.classes)} classes", drawn, photo)),
    )


def cam_facts(result: CamResult) -> CamFacts:
    """Return the classes with their scores, and the layers."""
    layers = tuple(result.by_layer)
    return CamFacts(**dict(result.classes[0]), layer=layers[0], layers=layers, classes=result.classes)


def cam_warnings(result: CamResult) -> Iterator[str]:
    """Yield a warning for each map without contrast. The maps of each layer are looked at, not the fused ones."""
    for layer, maps in result.by_layer.items():
        yield from degenerate_map_warnings(result.classes, maps, layer)


def _arrays(result: CamResult) -> Iterator[Array]:
    """Yield the map. If there are several layers, the map of each follows."""
    several = len(result.by_layer) > 1
    names = artifact_names(result.by_layer)
    named_maps = {
        "map": result.maps,
        **({f"map.{names[path]}": maps for path, maps in result.by_layer.items()} if several else {}),
    }
    for name, maps in named_maps.items():
        yield Array(name, maps if result.listed else maps[0])
