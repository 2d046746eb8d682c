"""Square crops of photos, enlarged to the model's input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from rendering.photo import Photo
from rendering.placement import span_on_photo
from schemas.methods.concepts.craft import crop_sides
from workers.contract.inputs import Prepared


@dataclass(frozen=True)
class Crop:
    """A square part of a photo's input that shows something of the photo.

    Attributes:
        image: the place of the photo among all photos.
        corner: row and column of its first pixel in the input.
        side: its side in pixels of the input.
        rows, columns: what it covers of the photo.
    """

    image: int
    corner: tuple[int, int]
    side: int
    rows: slice
    columns: slice

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, left, height and width in pixels of the photo."""
        rows, columns = self.rows, self.columns
        return rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start

    def of(self, photo: Photo) -> UInt8[np.ndarray, "h w 3"]:
        """Return the part of the photo."""
        return photo.image[self.rows, self.columns]


def crops_of(several: Sequence[Prepared], share: float) -> Iterator[Crop]:
    """Yield the crops of all photos, photo by photo and row by row. Those that lie beside the photo (`fit` letterbox) are left out.

    Args:
        several: the photos.
        share: the side of a crop, as a share of the input's shorter side.
    """
    for image, each in enumerate(several):
        height, width = each.tensor.shape[:2]
        side, stride = crop_sides(share, (height, width))
        placement, shape = each.photo.placement, each.photo.image.shape
        for top in range(0, height - side + 1, stride):
            for left in range(0, width - side + 1, stride):
                rows, columns = span_on_photo(0, top, side, placement, shape), span_on_photo(1, left, side, placement, shape)
                if rows.stop > rows.start and columns.stop > columns.start:
                    yield Crop(image, (top, left), side, rows, columns)


def enlarged(crop: Crop, whole: Prepared) -> Prepared:
    """Return the crop at the size of the whole input (bicubic, as in Xplique), with the photo that it is of."""
    top, left = crop.corner
    part = np.ascontiguousarray(whole.tensor[top : top + crop.side, left : left + crop.side])
    return Prepared(whole.photo, _resized(part, (whole.tensor.shape[0], whole.tensor.shape[1])))


def _resized(values: Float32[np.ndarray, "h w c"], size: tuple[int, int]) -> Float32[np.ndarray, "H W c"]:
    """Return an input of any number of channels at `size` (height, width). OpenCV enlarges at most four channels at once."""
    parts = [
        cv2.resize(np.ascontiguousarray(values[..., first : first + 4]), size[::-1], interpolation=cv2.INTER_CUBIC).reshape(*size, -1)
        for first in range(0, values.shape[-1], 4)
    ]
    return np.concatenate(parts, axis=-1)
