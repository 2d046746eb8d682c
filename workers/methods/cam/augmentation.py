"""Smoothing by augmentation: the variants of an input whose maps are averaged.

They are the six of pytorch-grad-cam's `aug_smooth`: mirrored or not, times 1, 0.9 and 1.1. The factors scale the preprocessed input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from rendering import scaling
from workers.contract.map_place import Box, MapPlace
from workers.methods.map_places import regridded


@dataclass(frozen=True)
class InputVariant:
    """A variant of an input: mirrored left to right or not, and multiplied by a factor."""

    mirrored: bool
    factor: float

    def of(self, tensor: Float32[np.ndarray, "n H W C"]) -> Float32[np.ndarray, "n H W C"]:
        """Return this variant of some inputs."""
        mirrored = tensor[:, :, ::-1] if self.mirrored else tensor
        return mirrored if self.factor == 1 else mirrored * np.float32(self.factor)

    def undone(self, maps: Float32[np.ndarray, "n h w"], place: MapPlace, width: int) -> Float32[np.ndarray, "n h w"]:
        """Return the maps of this variant as they lie over the plain input, which has this `width`.

        A map of a mirrored input is 0 where `place`, in which all maps lie, covers something that the layer sees only of the plain input.
        """
        if not self.mirrored:
            return maps
        turned = replace(place, area=_mirrored(place.area, width), seen=_mirrored(place.seen, width))
        shape = (maps.shape[1], maps.shape[2])
        return np.stack([regridded(np.ascontiguousarray(values[:, ::-1]), turned, place, shape) for values in maps])


def _mirrored(box: Box, width: int) -> Box:
    return box[0], width - box[1] - box[3], box[2], box[3]


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
