"""A probe that counts how many images its model is shown, so that the cost of a method can be told."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas.models import ModelDescription, Preprocessing, PublishedModel
from workers.contract.arrays import Float32
from workers.contract.contributions import Contributions
from workers.contract.full_gradients import FullGradients
from workers.contract.map_place import MapPlace
from workers.contract.probe import Forward, InputGradients, LayerGradients, Probe, ReluRule
from workers.contract.relevance import InputRange, RelevanceRules, Relevances
from workers.contract.scores import GradientScore, Readout
from workers.contract.synthesis import AscentSpec, AscentState, DreamSpec, DreamState


@dataclass
class Passes:
    """How many images a model was shown: with a forward pass alone, and with something that goes back through its layers too."""

    forward: int = 0
    gradient: int = 0


class CountingProbe(Probe):
    """Asks another probe, and counts the images of each call in `passes`. The arguments and errors are those of `Probe`."""

    def __init__(self, probe: Probe, passes: Passes | None = None) -> None:
        self._probe, self.passes = probe, Passes() if passes is None else passes

    @property
    def published(self) -> PublishedModel:
        return self._probe.published

    @property
    def description(self) -> ModelDescription:
        return self._probe.description

    def inputs_per_pass(self, size: tuple[int, int], *, gradient: bool = False) -> int:
        return self._probe.inputs_per_pass(size, gradient=gradient)

    def map_place(self, layer: str, size: tuple[int, int]) -> MapPlace:
        return self._probe.map_place(layer, size)

    def forward(
        self,
        tensor: Float32,
        layers: Sequence[str] = (),
        *,
        scores: bool = False,
        output: str | None = None,
        precision: str = "float32",
    ) -> Forward:
        self.passes.forward += len(tensor)
        return self._probe.forward(tensor, layers, scores=scores, output=output, precision=precision)

    def gradients(
        self,
        tensor: Float32,
        layer: str,
        class_indices: NDArray[np.int32],
        *,
        score: GradientScore = "logit",
        products: bool = False,
        output: str | None = None,
        precision: str = "float32",
    ) -> LayerGradients:
        self.passes.gradient += len(tensor)
        return self._probe.gradients(tensor, layer, class_indices, score=score, products=products, output=output, precision=precision)

    def input_gradients(
        self,
        tensor: Float32,
        class_indices: NDArray[np.int32],
        *,
        score: Literal["logit", "probability"] = "logit",
        relu_rule: ReluRule = "gradient",
        output: str | None = None,
        precision: str = "float32",
    ) -> InputGradients:
        self.passes.gradient += len(tensor)
        return self._probe.input_gradients(tensor, class_indices, score=score, relu_rule=relu_rule, output=output, precision=precision)

    def backproject(self, tensor: Float32, layer: str, seed: Float32, *, relu_rule: ReluRule = "gradient") -> Float32:
        self.passes.gradient += len(tensor)
        return self._probe.backproject(tensor, layer, seed, relu_rule=relu_rule)

    def relevances(
        self, tensor: Float32, class_indices: NDArray[np.int32], rules: RelevanceRules, values: InputRange, *, output: str | None = None
    ) -> Relevances:
        self.passes.gradient += len(tensor)
        return self._probe.relevances(tensor, class_indices, rules, values, output=output)

    def contributions(
        self, tensor: Float32, baselines: Float32, class_indices: NDArray[np.int32], *, output: str | None = None
    ) -> Contributions:
        self.passes.gradient += len(tensor)
        return self._probe.contributions(tensor, baselines, class_indices, output=output)

    def full_gradients(self, tensor: Float32, class_indices: NDArray[np.int32], *, output: str | None = None) -> FullGradients:
        self.passes.gradient += len(tensor)
        return self._probe.full_gradients(tensor, class_indices, output=output)

    def scores_from(
        self,
        tensor: Float32,
        layer: str,
        activations: Float32,
        *,
        layers: Sequence[str] = (),
        output: str | None = None,
        precision: str = "float32",
    ) -> Forward:
        self.passes.forward += len(activations)
        return self._probe.scores_from(tensor, layer, activations, layers=layers, output=output, precision=precision)

    def values(self, tensor: Float32, readout: Readout, *, precision: str = "float32") -> Float32:
        self.passes.forward += len(tensor)
        return self._probe.values(tensor, readout, precision=precision)

    def explaining(self, readout: Readout, weights: Float32, names: Sequence[str]) -> Probe:
        return CountingProbe(self._probe.explaining(readout, weights, names), self.passes)

    def with_inputs(self, name: str, values: Mapping[str, NDArray[np.generic]], preprocessing: Preprocessing) -> Probe:
        return CountingProbe(self._probe.with_inputs(name, values, preprocessing), self.passes)

    def randomised(self, layers: Sequence[str], seed: int) -> Probe:
        return CountingProbe(self._probe.randomised(layers, seed), self.passes)

    def ascend(self, spec: AscentSpec) -> Generator[AscentState, None, AscentState]:
        return self._probe.ascend(spec)

    def dream(self, spec: DreamSpec) -> Generator[DreamState, None, DreamState]:
        return self._probe.dream(spec)

    def weights(self, layer: str) -> dict[str, Float32]:
        return self._probe.weights(layer)
