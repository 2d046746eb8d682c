"""The positions of an output (N, h, w, classes) that a region of the photo covers."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from rendering.photo import Photo, Placement
from schemas.errors import InvalidParameters
from schemas.methods.targets import BoxRegion, PointRegion

# A mask image covers a pixel where a channel is above this value.
BRIGHT = 127
POINTER = "/params/target/region/where"


def centres(placement: Placement, size: tuple[int, int]) -> tuple[Float64[np.ndarray, " h"], Float64[np.ndarray, " w"]]:
    """Return where the centres of an output's rows and columns lie in the photo, in pixels. The first pixel reaches from 0 to 1.

    Args:
        placement: where the photo lies in the model's input.
        size: height and width of the output, which covers the whole input, or the area of it that `placement` is about.
    """
    found: list[Float64[np.ndarray, " n"]] = []
    for axis in (0, 1):
        over_input = (np.arange(size[axis]) + 0.5) * placement.input_size[axis] / size[axis]
        share = (over_input - placement.box[axis]) / placement.box[axis + 2]
        places = placement.source[axis] + share * placement.source[axis + 2]
        found.append(places[::-1] if placement.mirrored[axis] else places)
    return found[0], found[1]


def box_region(where: BoxRegion, photo: Photo, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Return the positions whose centres are in the box; if there are none, the position nearest to the middle of the box.

    Raises:
        InvalidParameters: the model sees nothing of the box.
    """
    top, left, height, width = where.box
    rows, columns = centres(photo.placement, size)
    inside = np.outer((rows >= top) & (rows < top + height), (columns >= left) & (columns < left + width))
    return inside if inside.any() else _position(top + height / 2, left + width / 2, photo, size, f"{POINTER}/box")


def point_region(where: PointRegion, photo: Photo, size: tuple[int, int], pointer: str = f"{POINTER}/point") -> Bool[np.ndarray, "h w"]:
    """Return the one position that covers the point. `pointer` says where the point stands in the request.

    Raises:
        InvalidParameters: the model does not see the point.
    """
    return _position(*where.point, photo, size, pointer)


def mask_region(mask: UInt8[np.ndarray, "H W 3"], photo: Photo, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Return the positions whose centres lie on a bright pixel of the mask.

    Raises:
        InvalidParameters: the mask has not the photo's size, or no centre lies on a bright pixel.
    """
    if mask.shape[:2] != photo.image.shape[:2]:
        got, allowed = ("{1}×{0}".format(*image.shape[:2]) for image in (mask, photo.image))
        raise InvalidParameters(
            f"The mask has {got} pixels (width × height), and the photo {allowed}.", pointer=f"{POINTER}/mask", allowed=allowed, got=got
        )
    rows, columns = (np.floor(places).astype(int) for places in centres(photo.placement, size))
    bright = mask.max(axis=-1) > BRIGHT
    found = _seen(photo, size) & bright[np.clip(rows, 0, mask.shape[0] - 1)[:, None], np.clip(columns, 0, mask.shape[1] - 1)]
    if not found.any():
        raise InvalidParameters("The mask covers no position of the output.", pointer=f"{POINTER}/mask")
    return found


def predicted_region(logits: Float32[np.ndarray, "h w classes"], class_index: int, photo: Photo) -> Bool[np.ndarray, "h w"]:
    """Return the positions in the photo at which the class has the highest logit, or a logit above 0 if it is the only class.

    Raises:
        InvalidParameters: there are none. The error names the classes that are predicted somewhere.
    """
    best = logits.argmax(axis=-1) if logits.shape[-1] > 1 else np.where(logits[..., 0] > 0, 0, -1)
    best = np.where(_seen(photo, best.shape), best, -1)
    if not (best == class_index).any():
        found = ", ".join(str(each) for each in np.unique(best[best >= 0]).tolist()[:20]) or "none"
        raise InvalidParameters(
            f"The model predicts class {class_index} nowhere in this photo. The classes that it predicts are: {found}.",
            pointer=POINTER,
            allowed=found,
            got=str(class_index),
        )
    return best == class_index


def _seen(photo: Photo, size: tuple[int, ...]) -> Bool[np.ndarray, "h w"]:
    """Return the positions whose centres lie in the photo, and not in the padding around it."""
    height, width = photo.image.shape[:2]
    rows, columns = centres(photo.placement, (size[0], size[1]))
    return np.outer((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))


def _position(y: float, x: float, photo: Photo, size: tuple[int, int], pointer: str) -> Bool[np.ndarray, "h w"]:
    rows, columns = centres(photo.placement, size)
    places: list[int] = []
    for at, found in ((y, rows), (x, columns)):
        step = abs(found[-1] - found[0]) / (len(found) - 1) if len(found) > 1 else np.inf
        nearest = int(np.abs(found - at).argmin())
        if abs(found[nearest] - at) > step / 2 + 1e-6:
            raise InvalidParameters(
                f"The model does not see ({y:g}, {x:g}) (y, x) of the photo.",
                pointer=pointer,
                allowed=f"y from {rows.min():g} to {rows.max():g}, x from {columns.min():g} to {columns.max():g}",
                got=f"({y:g}, {x:g})",
            )
        places.append(nearest)
    region = np.zeros(size, bool)
    region[places[0], places[1]] = True
    return region
