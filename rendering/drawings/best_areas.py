"""The photo with all but the best areas of a map darkened."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from rendering.drawings.base import Drawing, SourceArrays
from rendering.grid import grid_size
from rendering.photo import Photo, Placement
from rendering.placement import onto_photo
from rendering.sheets import GAP, caption_size, captioned_sheet, photo_for_tiles
from rendering.text import line_height

_DARKENED = 0.15  # the brightness of what is not among the best areas, as a share of the photo's own


class BestAreas(Drawing):
    """One tile for each share of the area, and a row of tiles for each map. Its sources are one map (h, w) or n maps (n, h, w).

    Attributes:
        photo_size: (height, width) of the photo.
        placement: Where the photo lies in the model's input.
        source: The array of the map or maps.
        shares: The shares of the map's area, between 0 and 1, that are shown.
        captions: The words after the share above each tile, one for each map. They may be left out if there is one map.
    """

    kind: Literal["best_areas"] = "best_areas"
    photo_size: tuple[int, int]
    placement: Placement
    source: str = "map"
    shares: tuple[float, ...]
    captions: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    @property
    def needs_photo(self) -> bool:
        return True

    def size(self, arrays: SourceArrays) -> tuple[int, int]:
        count = len(_all_maps(arrays[self.source])) * len(self.shares)
        photo = photo_for_tiles(Photo(np.zeros((*self.photo_size, 3), np.uint8), self.placement), count)
        height, width = photo.image.shape[:2]
        return grid_size(count, height + line_height(caption_size(photo)), width, columns=len(self.shares), gap=GAP)

    def draw(self, arrays: SourceArrays, photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        if photo is None:
            raise ValueError("the best areas cannot be drawn without the photo")
        maps = _all_maps(arrays[self.source])
        drawn = photo_for_tiles(Photo(photo, self.placement), len(maps) * len(self.shares))
        tiles = [best_area(values, drawn, share) for values in maps for share in self.shares]
        ends = [f" · {words}" for words in self.captions] or [""] * len(maps)
        captions = [f"best {100 * share:.3g} %{end}" for end in ends for share in self.shares]
        return captioned_sheet(tiles, captions, drawn, columns=len(self.shares))


def best_area(values: Float32[np.ndarray, "h w"], photo: Photo, share: float) -> UInt8[np.ndarray, "H W 3"]:
    """Return the photo, darkened but for the places whose values are above the percentile that leaves `share` of the map.

    Regions of equal values are shown or darkened as a whole, so the shown area may be smaller than the share.
    """
    best = values > np.percentile(values, 100 * (1 - share))
    shown = onto_photo(best.astype(np.float32), photo.placement, photo.image.shape)[..., None] >= 0.5
    return np.where(shown, photo.image, (photo.image * _DARKENED).astype(np.uint8))


def _all_maps(array: NDArray[np.generic]) -> Float32[np.ndarray, "n h w"]:
    return (array if array.ndim == 3 else array[None]).astype(np.float32, copy=False)
