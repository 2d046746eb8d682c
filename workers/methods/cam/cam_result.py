"""The result of a class activation map: what `run` hands to `draw`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.base import Fusing
from schemas.methods.facts import Prediction
from workers.methods.cam import cam_maps


@dataclass(frozen=True)
class CamResult:
    """The maps of one job.

    Attributes:
        by_layer: for each target layer an unscaled map for each class (n, h, w). Layers differ in height and width.
        classes: the n classes with their scores.
        listed: true if the caller gave a list of classes. Arrays then keep the axis of the classes.
        fuse: how the maps of several layers become one.
    """

    by_layer: Mapping[str, Float32[np.ndarray, "n _ _"]]
    classes: tuple[Prediction, ...]
    listed: bool
    fuse: Fusing = "mean"

    @cached_property
    def maps(self) -> Float32[np.ndarray, "n h w"]:
        """The maps of the target layer. For several layers, these are their fused maps."""
        maps = list(self.by_layer.values())
        return maps[0] if len(maps) == 1 else cam_maps.fused(maps, self.fuse)
