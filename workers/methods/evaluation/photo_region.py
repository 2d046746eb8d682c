"""The pixels of a model's input in which an object of the photo lies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool

from rendering.photo import Photo
from schemas.errors import InvalidParameters
from schemas.methods.targets import BoxRegion, MaskRegion
from workers.contract.inputs import Prepared
from workers.methods.regions import box_region, mask_region


def input_region(
    region: BoxRegion | MaskRegion, photo: Photo, size: tuple[int, int], masks: Mapping[str, Prepared], pointer: str
) -> Bool[np.ndarray, "H W"]:
    """Return which pixels of an input of `size` (height, width) a region of the photo covers.

    Args:
        region: the box, or the name of the mask.
        photo: the photo, and where it lies in the input.
        size: height and width of the input.
        masks: the mask images that the parameters name, by their ids.
        pointer: the place of the region in the request.

    Raises:
        InvalidParameters: the region covers nothing that the model sees, or the mask has not the photo's size.
    """
    try:
        if isinstance(region, BoxRegion):
            return box_region(region, photo, size)
        return mask_region(masks[region.mask].photo.image, photo, size)
    except InvalidParameters as error:
        error.pointer = pointer
        raise
