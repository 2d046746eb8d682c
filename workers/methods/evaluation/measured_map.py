"""A map that is measured, and all that the measures need beside it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64

from schemas.methods.base import MethodParams
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.evaluation.combined_progress import CombinedProgress
from workers.methods.evaluation.pixel_curves import finite_over_input, ranking
from workers.methods.evaluation.run_attribution import run_attribution
from workers.methods.perturbation.watched_scores import WatchedScores


@dataclass(frozen=True)
class MeasuredMap:
    """The map of one attribution method for one photo.

    Attributes:
        probe: the model.
        inputs: the one input, and its photo.
        watched: the class that the map explains, and its score for the whole image.
        attribution: returns the parameters of the attribution method for a class index.
        result: the result of the attribution method, which that method can draw.
        params: the parameters that made it.
        values: the unscaled map.
        over_input: the map at the size of the input, 0 where its layer sees nothing.
        places: each pixel's place in the order of the map, 0 for the strongest. Pixels of equal value are in random order.
        region: the pixels of the input in which the object lies, or None if no measure needs it.
    """

    probe: Probe
    inputs: Inputs
    watched: WatchedScores
    attribution: Callable[[int], MethodParams]
    result: Any
    params: MethodParams
    values: Float32[np.ndarray, "h w"]
    over_input: Float32[np.ndarray, "H W"]
    places: Int64[np.ndarray, "H W"]
    region: Bool[np.ndarray, "H W"] | None

    @property
    def image(self) -> Float32[np.ndarray, "H W C"]:
        """The model's input."""
        return self.inputs.tensor[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the model's input."""
        return self.inputs.tensor.shape[1], self.inputs.tensor.shape[2]

    def asking(self, probe: Probe) -> MeasuredMap:
        """Return the same map, whose measures ask another probe of the same model."""
        return replace(self, probe=probe)

    def again(
        self, progress: CombinedProgress, *, tensor: Float32[np.ndarray, "1 H W C"] | None = None, class_index: int | None = None
    ) -> Generator[Slice, None, Float32[np.ndarray, "h w"]]:
        """Make the map for another input or for another class, and return it."""
        inputs = self.inputs if tensor is None else replace(self.inputs, tensor=tensor)
        params = self.params if class_index is None else self.attribution(class_index)
        result = yield from progress.through(run_attribution(self.probe, inputs, params))
        return result.maps[0]


def measured_map(
    probe: Probe,
    inputs: Inputs,
    watched: WatchedScores,
    attribution: Callable[[int], MethodParams],
    progress: CombinedProgress,
    *,
    seed: int,
    region: Bool[np.ndarray, "H W"] | None = None,
) -> Generator[Slice, None, MeasuredMap]:
    """Make the map of an attribution method for the watched class of one input."""
    size = (inputs.tensor.shape[1], inputs.tensor.shape[2])
    params = attribution(watched.classes[0].class_index)
    result = yield from progress.through(run_attribution(probe, inputs, params))
    values = result.maps[0]
    over_input = finite_over_input(values, getattr(result, "place", MapPlace.whole(size)), size)
    places = ranking(over_input, seed)
    return MeasuredMap(probe, inputs, watched, attribution, result, params, values, over_input, places, region)
