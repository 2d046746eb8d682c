"""Smoothing by augmentation: the variants of an input whose maps are averaged.

They are the six of pytorch-grad-cam's `aug_smooth`: mirrored or not, times 1, 0.9 and 1.1. The factors scale the preprocessed input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from rendering import scaling


@dataclass(frozen=True)
class InputVariant:
    """A variant of an input: mirrored left to right or not, and multiplied by a factor."""

    mirrored: bool
    factor: float

    def of(self, tensor: Float32[np.ndarray, "n H W C"]) -> Float32[np.ndarray, "n H W C"]:
        """Return this variant of some inputs."""
        mirrored = tensor[:, :, ::-1] if self.mirrored else tensor
        return mirrored if self.factor == 1 else mirrored * np.float32(self.factor)

    def undone(self, maps: Float32[np.ndarray, "n h w"]) -> Float32[np.ndarray, "n h w"]:
        """Return the maps of this variant as they lie over the plain input."""
        return maps[:, :, ::-1] if self.mirrored else maps


PLAIN = InputVariant(mirrored=False, factor=1)
ALL = (PLAIN, *(InputVariant(mirrored, factor) for mirrored in (False, True) for factor in (0.9, 1, 1.1) if mirrored or factor != 1))


def variants(augment: bool) -> tuple[InputVariant, ...]:
    """Return the variants to run, the plain input first. Without `augment`, the plain input is the only one."""
    return ALL if augment else (PLAIN,)


def averaged(maps: Sequence[Float32[np.ndarray, "n h w"]]) -> Float32[np.ndarray, "n h w"]:
    """Return the mean of the variants' maps, each scaled to 0-1 first. The maps of a single variant are returned unscaled.

    A degenerate map counts as zeros.
    """
    if len(maps) == 1:
        return maps[0]
    return np.stack([[scaling.heat(values) for values in each] for each in maps]).mean(axis=0)
