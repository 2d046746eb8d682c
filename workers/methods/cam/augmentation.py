"""The input's variants whose maps are averaged where a CAM is smoothed by augmentation: mirrored or not, times 1, 0.9, 1.1.

The same six as pytorch-grad-cam's `aug_smooth`. Factors scale the preprocessed input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from workers.rendering import scaling


@dataclass(frozen=True)
class Variant:
    mirrored: bool
    factor: float

    def of(self, tensor: Float32[np.ndarray, "n H W C"]) -> Float32[np.ndarray, "n H W C"]:
        mirrored = tensor[:, :, ::-1] if self.mirrored else tensor
        return mirrored if self.factor == 1 else mirrored * np.float32(self.factor)

    def undone(self, maps: Float32[np.ndarray, "n h w"]) -> Float32[np.ndarray, "n h w"]:
        """Maps of such inputs, as they lie over the input itself."""
        return maps[:, :, ::-1] if self.mirrored else maps


PLAIN = Variant(mirrored=False, factor=1)
ALL = (PLAIN, *(Variant(mirrored, factor) for mirrored in (False, True) for factor in (0.9, 1, 1.1) if mirrored or factor != 1))


def variants(augment: bool) -> tuple[Variant, ...]:
    """The input itself first; it alone without `augment`."""
    return ALL if augment else (PLAIN,)


def averaged(maps: Sequence[Float32[np.ndarray, "n h w"]]) -> Float32[np.ndarray, "n h w"]:
    """Of one variant its maps, unscaled; of several the mean of their maps, each scaled to 0–1 (a degenerate one counts as zeros)."""
    if len(maps) == 1:
        return maps[0]
    return np.stack([[scaling.heat(values) for values in each] for each in maps]).mean(axis=0)
