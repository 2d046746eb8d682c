"""The pictures, arrays, facts and warnings of a class activation map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rendering.photo import Photo
from schemas.methods.cam.base import CamFacts, CamParams
from workers.contract.artifacts import Array, Output
from workers.methods.artifact_names import artifact_names
from workers.methods.cam.cam_result import CamResult
from workers.methods.class_scores import check_finite_scores
from workers.methods.degenerate_maps import degenerate_map_warnings
from workers.methods.map_places import photo_under, stretched_place
from workers.methods.sheets import class_pictures, smaller_tiles_warning


def draw(result: CamResult, photo: Photo, params: CamParams) -> Output:
    """Return the output of a CAM in the colours asked for. The artifacts are those of `CAM_ARTIFACTS`.

    Raises:
        NonFinite: a class score is not finite.
    """
    return draw_with(result, photo, way="blend", colormap=params.colormap, alpha=params.alpha)


def draw_with(result: CamResult, photo: Photo, *, stretched: bool = False, **options: Any) -> Output:
    """Return the output of a CAM whose overlay is drawn in a way of its own.

    Args:
        stretched: draw a map that leaves out less than a cell at each border over the whole input, as published code does.
        options: the options of `MapsOnPhoto` that say how the maps are drawn.

    Raises:
        NonFinite: a class score is not finite.
    """
    check_finite_scores(result.classes)
    arrays = tuple(_arrays(result))
    place = stretched_place(result.place, (result.maps.shape[1], result.maps.shape[2])) if stretched else result.place
    return Output(
        artifacts=(*class_pictures(arrays, result.classes, photo_under(photo, place), **options), *arrays),
        facts=cam_facts(result),
        warnings=(*cam_warnings(result), *smaller_tiles_warning("classes", len(result.classes), photo)),
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
