"""Say where a layer's map lies over the model's input."""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Top, left, height and width, in pixels of the model's input."""


@dataclass(frozen=True)
class MapPlace:
    """The place of a layer's map (h, w) over the model's input.

    Most maps lie over the whole input. A layer that cuts, pads or mirrors the image inside the model moves the maps after it.

    Attributes:
        area: the area that the map's cells cover together. It reaches beyond the input where the model pads the image.
        seen: the part of the input that the layer sees. Only layers that cut something off make it smaller than the input.
        mirrored: whether the map's rows and its columns are in the opposite order of the input's.
    """

    area: Box
    seen: Box
    mirrored: tuple[bool, bool] = (False, False)

    @staticmethod
    def whole(size: tuple[int, int]) -> MapPlace:
        """Return the place of a map that lies over a whole input of `size` (height, width)."""
        box = (0.0, 0.0, float(size[0]), float(size[1]))
        return MapPlace(box, box)
