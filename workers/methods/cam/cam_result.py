"""The result of a class activation map: what `run` hands to `draw`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.base import Fusing
from schemas.methods.facts import Prediction
from workers.contract.map_place import MapPlace
from workers.contract.probe import Probe
from workers.methods.cam import cam_maps


@dataclass(frozen=True)
class CamResult:
    """The maps of one job.

    Attributes:
        by_layer: for each target layer an unscaled map for each class (n, h, w). Layers differ in height and width.
        places: where the map of each target layer lies over the model's input.
        classes: the n classes with their scores.
        listed: true if the caller gave a list of classes. Arrays then keep the axis of the classes.
        fuse: how the maps of several layers become one.
    """

    by_layer: Mapping[str, Float32[np.ndarray, "n _ _"]]
    places: Mapping[str, MapPlace]
    classes: tuple[Prediction, ...]
    listed: bool
    fuse: Fusing = "mean"

    @cached_property
    def maps(self) -> Float32[np.ndarray, "n h w"]:
        """The maps of the target layer. For several layers, these are their fused maps."""
        maps = list(self.by_layer.values())
        return maps[0] if len(maps) == 1 else cam_maps.fused(maps, self.fuse, [self.places[path] for path in self.by_layer])

    @property
    def place(self) -> MapPlace:
        """The place of `maps` over the model's input."""
        paths = list(self.by_layer)
        return self.places[paths[cam_maps.finest(list(self.by_layer.values()))]]


def places_of(probe: Probe, layers: Sequence[str], tensor: Float32[np.ndarray, "n H W C"]) -> dict[str, MapPlace]:
    """Return where the maps of some layers lie over inputs of the size of `tensor`."""
    return {layer: probe.map_place(layer, (tensor.shape[1], tensor.shape[2])) for layer in layers}
