"""The arithmetic of deletion and insertion: the order of an image's pixels in a map, and what follows from the score's curves."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int64

from rendering import scaling
from workers.contract.map_place import MapPlace
from workers.methods.map_places import over_input


def ranking(values: Float32[np.ndarray, "H W"], seed: int) -> Int64[np.ndarray, "H W"]:
    """Return each pixel's place, 0 for the highest value. Pixels of equal value are in random order, so that no side comes first."""
    flat = values.ravel()
    order = np.lexsort((np.random.default_rng(seed).permutation(flat.size), -flat))
    places = np.empty(flat.size, np.int64)
    places[order] = np.arange(flat.size)
    return places.reshape(values.shape)


def random_map(shape: tuple[int, ...], seed: int) -> Float32[np.ndarray, "h w"]:
    """Return a map of random values, with which a map of the same shape is compared.

    It has the same resolution, because single covered pixels disturb a network more than covered areas do.
    """
    return np.random.default_rng((seed, 1)).standard_normal(shape, np.float32)


def area(shares: Float64[np.ndarray, " s"], scores: Float64[np.ndarray, " s"]) -> float:
    """Return the area under a curve by the trapezoid rule."""
    return float(np.trapezoid(scores, shares))


def drop(whole: float, masked: float) -> float | None:
    """Return max(0, whole − masked) / whole, or None if `whole` is not above 0.

    The mean of this over many images is the "average drop" of Grad-CAM++ (arXiv:1710.11063).
    """
    return max(0.0, whole - masked) / whole if whole > 0 else None


def finite_over_input(values: Float32[np.ndarray, "h w"], place: MapPlace, size: tuple[int, int]) -> Float32[np.ndarray, "H W"]:
    """Return a map at the size (height, width) of the input (bilinear, half-pixel centres), 0 where its layer sees nothing.

    Values that are not finite count as 0. `place` says where the map lies over the input.
    """
    return over_input(np.nan_to_num(values, posinf=0, neginf=0), place, size)


def visible(values: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Return how much of each pixel the map shows, 0-1: relu(map) / max.

    A map that is above 0 everywhere is scaled from its smallest to its largest value.
    """
    return scaling.heat(values - max(values.min(), np.float32(0)))
