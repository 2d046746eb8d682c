"""A drawing of maps over a photo, with a title and the scale of its colours."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from rendering.annotations import PictureWords, annotated, annotated_size, letters_for
from rendering.drawings.base import Drawing, SourceArrays
from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.text import PAPER

GAP = 4  # pixels between the photo and the overlay


class AnnotatedMap(Drawing):
    """Maps on a photo, or alone, under a title and beside the scale of their colours.

    Attributes:
        maps: The drawing of the maps without words.
        title: The method, the model and the layers.
        explained: The explained class or target, in a line of its own.
        beside_photo: If it is true and there is one map, an overlay stands on the right of the photo.
    """

    kind: Literal["annotated_map"] = "annotated_map"
    maps: MapsOnPhoto
    title: tuple[str, ...]
    explained: str = ""
    beside_photo: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        return self.maps.sources

    @property
    def needs_photo(self) -> bool:
        return self.maps.needs_photo

    @property
    def _words(self) -> PictureWords:
        return PictureWords(self.title, self.explained, self.maps.meaning, letters_for(self.maps.photo_size[1]))

    def size(self, arrays: SourceArrays) -> tuple[int, int]:
        height, width = self.maps.size(arrays)
        return annotated_size(height, 2 * width + GAP if self._has_photo(arrays) else width, self._words, scale=True)

    def draw(self, arrays: SourceArrays, photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        return self.around(self.maps.draw(arrays, photo), arrays, photo)

    def around(
        self, picture: UInt8[np.ndarray, "h w 3"], arrays: SourceArrays, photo: NDArray[np.uint8] | None
    ) -> UInt8[np.ndarray, "H W 3"]:
        """Return the picture that `maps` has drawn, with title and scale."""
        if self._has_photo(arrays):
            if photo is None:
                raise ValueError("the photo cannot be shown beside the overlay without the photo")
            picture = np.concatenate([photo, np.full((len(photo), GAP, 3), PAPER, np.uint8), picture], axis=1)
        return annotated(picture, self._words, self.maps.colour_scale(arrays))

    def _has_photo(self, arrays: SourceArrays) -> bool:
        return self.beside_photo and self.maps.needs_photo and self.maps.count(arrays) == 1
