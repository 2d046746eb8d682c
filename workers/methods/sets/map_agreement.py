"""Compare two maps of one photo, which may lie differently over it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float32

from rendering.photo import Photo
from rendering.placement import onto_photo, used_part
from workers.contract.map_place import MapPlace
from workers.methods.evaluation.rank_correlation import spearman
from workers.methods.map_places import photo_under

LONGEST = 64
"""Maps are compared on a grid over the photo whose longer side has this many cells."""


def over_photo(
    values: Float32[np.ndarray, "h w"], photo: Photo, place: MapPlace
) -> tuple[Float32[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """Return a map on a grid over the photo, and which cells of the grid its layer sees. Beyond them the map is 0.

    The grid has the proportions of the photo and a longer side of at most 64 cells, so it is the same for every model that is shown the
    photo, whatever the size of the model's input and however the photo is fitted into it.

    Args:
        values: the unscaled map.
        photo: the photo, and where it lies in the input of the map's model.
        place: where the map lies over that input.
    """
    share = min(1.0, LONGEST / max(photo.image.shape[:2]))
    shape = (max(1, round(photo.image.shape[0] * share)), max(1, round(photo.image.shape[1] * share)))
    placement = photo_under(photo, place).placement
    down, across = shape[0] / photo.image.shape[0], shape[1] / photo.image.shape[1]
    top, left, height, width = placement.source
    scaled = replace(placement, source=(top * down, left * across, height * down, width * across))
    seen = np.zeros(shape, bool)
    seen[used_part(scaled, shape)] = True
    return onto_photo(np.ascontiguousarray(values), scaled, shape), seen


def map_correlation(
    first: tuple[Float32[np.ndarray, "H W"], Bool[np.ndarray, "H W"]], second: tuple[Float32[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]
) -> float | None:
    """Return the rank correlation (-1 to 1) of two maps that `over_photo` has returned, over the part of the photo that both see.

    It is None if a map is the same everywhere there or not finite, or if no part is seen by both.
    """
    both = first[1] & second[1]
    return spearman(first[0][both], second[0][both]) if both.any() else None
