"""Histograms of arrays, under one another."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rendering.charts.axes import PLOT_HEIGHT
from rendering.charts.style import PLOT_WIDTH
from rendering.charts.values import histogram
from rendering.drawings.base import Drawing, SourceArrays
from rendering.scaling import finite


class Histograms(Drawing):
    """One histogram of all values of each array. Values that are not finite are counted as 0.

    Attributes:
        arrays: The names of the arrays.
        titles: The title of each histogram.
    """

    kind: Literal["histograms"] = "histograms"
    arrays: tuple[str, ...]
    titles: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        return self.arrays

    def size(self, arrays: SourceArrays) -> tuple[int, int]:
        return len(self.arrays) * PLOT_HEIGHT, PLOT_WIDTH

    def draw(self, arrays: SourceArrays, photo: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        values = (finite(arrays[name].astype(np.float32, copy=False)) for name in self.arrays)
        return np.concatenate([histogram(each.ravel(), title) for each, title in zip(values, self.titles, strict=True)])
