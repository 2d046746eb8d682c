"""Lay the maps of several photos over one another, in the frame that the model sees."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from rendering.photo import Photo
from workers.contract.map_place import MapPlace
from workers.methods.evaluation.rank_correlation import spearman
from workers.methods.map_places import over_input


def framed(
    values: Float32[np.ndarray, "h w"], place: MapPlace, size: tuple[int, int], frame: tuple[int, int]
) -> Float32[np.ndarray, "H W"]:
    """Return a map over the input of `size` (height, width) at the size of the frame, 0 where its layer sees nothing."""
    whole = over_input(np.nan_to_num(values, posinf=0, neginf=0), place, size)
    return whole if size == frame else np.asarray(cv2.resize(whole, frame[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def seen_of_photo(photo: Photo, frame: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """Return which places of the frame show the photo. The others are the bars of a letterbox."""
    height, width = photo.placement.input_size
    top, left, tall, wide = photo.placement.box
    rows, columns = (
        (start - 1e-6 <= centres) & (centres <= start + length + 1e-6)
        for start, length, centres in (
            (top, tall, (np.arange(frame[0]) + 0.5) * height / frame[0]),
            (left, wide, (np.arange(frame[1]) + 0.5) * width / frame[1]),
        )
    )
    return rows[:, None] & columns


def scaled(values: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Return a map divided by its largest absolute value. A map of zeros is returned as it is."""
    largest = np.abs(values).max()
    return values / largest if largest > 0 else values


class RunningMap:
    """The mean and the standard deviation of maps that come one after the other (Welford, Technometrics 4, 1962).

    At each place only the maps count that see it, so that bars of a letterbox make nothing colder. Memory does not grow with the maps.
    """

    def __init__(self, frame: tuple[int, int]) -> None:
        """Start without a map, for maps of the size `frame` (height, width)."""
        self.count: Int32[np.ndarray, "H W"] = np.zeros(frame, np.int32)
        self._mean, self._squares = np.zeros(frame), np.zeros(frame)

    def add(self, values: Float32[np.ndarray, "H W"], seen: Bool[np.ndarray, "H W"]) -> None:
        """Add a map. It counts only where it is `seen`."""
        self.count += seen
        difference = np.where(seen, values - self._mean, 0.0)
        self._mean += difference / np.maximum(self.count, 1)
        self._squares += difference * np.where(seen, values - self._mean, 0.0)

    @property
    def mean(self) -> Float64[np.ndarray, "H W"]:
        """The mean at each place, 0 where no map sees it."""
        return self._mean

    @property
    def spread(self) -> Float64[np.ndarray, "H W"]:
        """The standard deviation at each place, with the number of maps as the divisor; 0 where fewer than two maps see it."""
        return np.sqrt(np.maximum(self._squares, 0) / np.maximum(self.count, 1))


def agreement(maps: Sequence[Float32[np.ndarray, "H W"]]) -> float | None:
    """Return the mean rank correlation of each map with the mean of the others. It is None if there are fewer than two maps."""
    if len(maps) < 2:
        return None
    total = np.sum(maps, axis=0, dtype=np.float64)
    found = [spearman(each, total - each) for each in maps]
    defined = [each for each in found if each is not None]
    return sum(defined) / len(defined) if defined else None
