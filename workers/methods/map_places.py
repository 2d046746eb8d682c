"""Bring maps that do not lie over the whole input onto the photo and onto the input."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float32

from rendering.photo import Photo, Placement
from rendering.placement import onto_photo
from workers.contract.map_place import Box, MapPlace


def photo_under(photo: Photo, place: MapPlace) -> Photo:
    """Return the photo as it lies under a map: the area that the map lies over takes the place of the model's input.

    If the layer sees nothing of the photo, it is shown as if it saw the photo's outermost row or column.
    """
    seen = seen_part(photo.placement, place.seen)
    top, left, height, width = place.area
    box = (seen.box[0] - top, seen.box[1] - left, seen.box[2], seen.box[3])
    return Photo(photo.image, Placement((height, width), box, seen.source, place.mirrored))


def seen_part(placement: Placement, seen: Box) -> Placement:
    """Return the placement of the part of the photo that lies in the box `seen` of the input."""
    box, source = list(placement.box), list(placement.source)
    for axis in (0, 1):
        first, length = placement.box[axis], placement.box[axis + 2]
        start = min(max(first, seen[axis]), first + length)
        stop = max(min(first + length, seen[axis] + seen[axis + 2]), start)
        scale = placement.source[axis + 2] / length
        box[axis], box[axis + 2] = start, max(stop - start, 1 / scale)  # at least one pixel of the photo
        source[axis], source[axis + 2] = placement.source[axis] + (start - first) * scale, box[axis + 2] * scale
    return replace(placement, box=(box[0], box[1], box[2], box[3]), source=(source[0], source[1], source[2], source[3]))


def over_input(values: Float32[np.ndarray, "h w"], place: MapPlace, size: tuple[int, int]) -> Float32[np.ndarray, "H W"]:
    """Return a map at the size of the model's input (height, width), 0 where the layer sees nothing (bilinear, half-pixel centres)."""
    whole = Photo(np.zeros((*size, 3), np.uint8), Placement(size, (0, 0, *size), (0, 0, *size)))
    return onto_photo(np.ascontiguousarray(values), photo_under(whole, place).placement, size)


def stretched_place(place: MapPlace, shape: tuple[int, int]) -> MapPlace:
    """Return the place of a map of `shape` (h, w) that is stretched over what its layer sees, if it leaves out or exceeds little of it.

    Little is less than a cell at each border: this is the difference that windows without padding make.
    """
    for axis in (0, 1):
        cell = place.area[axis + 2] / shape[axis]
        first, last = place.seen[axis] - place.area[axis], place.area[axis] + place.area[axis + 2] - place.seen[axis] - place.seen[axis + 2]
        if max(abs(first), abs(last)) >= cell:
            return place
    return replace(place, area=place.seen)


def regridded(values: Float32[np.ndarray, "h w"], place: MapPlace, onto: MapPlace, shape: tuple[int, int]) -> Float32[np.ndarray, "_ _"]:
    """Return a map with `shape` (height, width) cells that lie where another map lies (bilinear, half-pixel centres)."""
    if place == onto:
        return np.asarray(cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    top, left, height, width = onto.area
    cells = Photo(np.zeros((*shape, 3), np.uint8), Placement((height, width), (0, 0, height, width), (0, 0, *shape)))
    moved = replace(place, area=_from((top, left), place.area), seen=_from((top, left), place.seen))
    found = onto_photo(np.ascontiguousarray(values), photo_under(cells, moved).placement, shape)
    down, across = (slice(None, None, -1 if mirrored else 1) for mirrored in onto.mirrored)
    return found[down, across]


def _from(corner: tuple[float, float], box: Box) -> Box:
    return box[0] - corner[0], box[1] - corner[1], box[2], box[3]
