"""The probe of a loaded Keras model, by which methods see its activations, gradients and weights."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import replace
from functools import cache, partial
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.models import HeadKind, ModelDescription, Preprocessing, PublishedModel
from workers.contract.arrays import Float32
from workers.contract.map_place import MapPlace
from workers.contract.probe import Forward, InputGradients, LayerGradients, ReluRule
from workers.contract.scores import GradientScore, Readout
from workers.contract.synthesis import AscentSpec, AscentState, DreamSpec, DreamState
from workers.engine import passes
from workers.engine.activation_guard import ActivationGuard
from workers.engine.activation_limits import ActivationLimits
from workers.engine.ascent.dream import dream
from workers.engine.ascent.loop import ascend
from workers.engine.compiled_cache import CompiledCache, Compiling
from workers.engine.cost import pass_cost
from workers.engine.device_speed import device_speed
from workers.engine.domain_errors import as_domain_errors, check_finite
from workers.engine.gradient_pass import build_gradients, run_gradients
from workers.engine.graph import Graph
from workers.engine.model_inputs import ModelInputs
from workers.engine.propagating_probe import PropagatingProbe
from workers.engine.randomised_layers import randomised_layers
from workers.engine.relu_rules import count_relus
from workers.engine.request_checks import check_activations, check_classes, check_input, check_layer_of_scores
from workers.engine.score_sources import ClassScores, ScoreSource, TargetScores
from workers.engine.weights import weights_of


class KerasProbe(PropagatingProbe):
    """The implementation of `workers.contract.probe.Probe`, which documents the calls, for Keras models.

    The model never changes. Functions and copies of layers are kept as long as the probe. If one example gives a result that is not
    finite, the call raises `NonFinite` for the whole batch and names it. Inputs that are too large are refused before anything runs.
    """

    def __init__(
        self,
        model: keras.Model,
        published: PublishedModel,
        replacements: Mapping[str, Any] | None = None,
        compiling: Compiling = nullcontext,
        limits: ActivationLimits | None = None,
    ) -> None:
        """`replacements` are used, by path, in place of the model's own layers. `compiling` is entered while a call compiles."""
        self._published = published
        self._replacements = dict(replacements or {})
        heads: dict[str, HeadKind] = {head.name: head.head for head in published.description.heads}
        self.graph = Graph(model, self._replacements, heads).seen_from(published.description.input.name)
        self._inputs = ModelInputs(self.graph, published.description.input.name)
        self.compiled = CompiledCache(compiling=compiling)
        self._compiling = compiling
        self._target: TargetScores | None = None
        self._weights: tuple[tf.Tensor, ...] = ()
        self._guard = ActivationGuard(self.graph, self._inputs.name, limits or ActivationLimits())
        self._relus = cache(partial(count_relus, self.graph, self._inputs.name))

    @property
    def published(self) -> PublishedModel:
        return self._published

    @property
    def description(self) -> ModelDescription:
        return self._published.description

    @property
    def nbytes(self) -> int:
        """The size of the variables that were made in addition to the model's own weights, in bytes."""
        return self.graph.nbytes

    @property
    def operations(self) -> int:
        """The number of operations in the graphs of the compiled functions that are in memory."""
        return self.compiled.operations

    @property
    def traces(self) -> int:
        """The number of times that functions were traced. There is one trace for each target and kind of call."""
        return self.compiled.traces

    def inputs_per_pass(self, size: tuple[int, int], *, gradient: bool = False) -> int:
        cost = pass_cost(self.description.layers, size, self._guard.attention(size))
        return min(cost.inputs(device_speed(), gradient=gradient), self._guard.most(size, gradient=gradient))

    def map_place(self, layer: str, size: tuple[int, int]) -> MapPlace:
        return self.graph.map_place(self._inputs.name, layer, size)

    def forward(
        self, tensor: Float32, layers: Sequence[str] = (), *, scores: bool = False, output: str | None = None, precision: str = "float32"
    ) -> Forward:
        errors = self._checked(tensor, precision)
        source = self._scores(output) if scores else None
        paths = tuple(layer.path for layer in self.graph.layers if layer.path in set(layers))  # one trace serves any order
        for path in set(layers).difference(paths):
            self.graph.layer_at(path)  # raises UnknownLayer
        build = partial(passes.build_forward, self._inputs, paths, scores=source, precision=precision)
        call = self.compiled.get(("forward", self._inputs.key, paths, source and source.key, scores, precision), build)
        with errors:
            return passes.as_forward(call(*self._inputs.arguments(tensor), *(self._weights if scores else ())), precision)

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
        rules = {"score": score, "relu_rule": "gradient", "products": products}
        return self._gradients(tensor, layer, class_indices, output=output, precision=precision, **rules)

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
        at, how = self._inputs.name, {"score": score, "relu_rule": relu_rule, "products": False}
        found = self._gradients(tensor, at, class_indices, output=output, precision=precision, **how)
        relus = 0 if relu_rule == "gradient" else self._relus(self._scores(output))
        return InputGradients(found.gradients, found.logits, found.probabilities, found.class_indices, relus)

    def backproject(self, tensor: Float32, layer: str, seed: Float32, *, relu_rule: ReluRule = "gradient") -> Float32:
        errors = self._checked(tensor, gradient_at=self._inputs.name)
        check_activations(self.graph, layer, seed, len(tensor))
        build = partial(passes.build_backproject, self._inputs, layer, relu_rule)
        call = self.compiled.get(("backproject", self._inputs.key, layer, relu_rule), build)
        with errors:
            found: Float32 = call(*self._inputs.arguments(tensor), tf.constant(seed, tf.float32)).numpy()
        check_finite("in float32", {f"gradients of layer '{layer}' at the input": found})
        return found

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
        errors, source = self._checked(tensor, precision), self._scores(output)
        check_layer_of_scores(self.description.name, self.graph, layer, source)
        check_activations(self.graph, layer, activations, len(tensor))
        for path in layers:
            self.graph.layer_at(path)  # raises UnknownLayer
        build = partial(passes.build_scores_from, self._inputs, layer, tuple(layers), scores=source, precision=precision)
        call = self.compiled.get(("scores_from", self._inputs.key, layer, tuple(layers), source.key, precision), build)
        with errors:
            found = call(*self._inputs.arguments(tensor), tf.constant(activations, tf.float32), *self._weights)
            return passes.as_forward(found, precision)

    def values(self, tensor: Float32, readout: Readout, *, precision: str = "float32") -> Float32:
        errors = self._checked(tensor, precision)
        target = TargetScores(self.graph, readout)
        build = partial(passes.build_values, self._inputs, target, precision=precision)
        call = self.compiled.get(("values", self._inputs.key, target.key, precision), build)
        with errors:
            found: Float32 = call(*self._inputs.arguments(tensor)).numpy()
        check_finite(f"in {precision}", {"values of the target": found})
        return found

    def explaining(self, readout: Readout, weights: Float32, names: Sequence[str]) -> KerasProbe:
        probe = copy(self)
        probe._target, probe._weights = TargetScores(self.graph, readout), (tf.constant(weights, tf.float32),)
        probe._published = self._published.with_targets(names)
        return probe

    def with_inputs(self, name: str, values: Mapping[str, NDArray[np.generic]], preprocessing: Preprocessing) -> KerasProbe:
        probe = copy(self)
        probe._published = self._published.seen_from(name, preprocessing)
        probe.graph = self.graph.seen_from(name)
        probe._inputs = ModelInputs.of(probe.graph, name, values)
        probe._relus = cache(partial(count_relus, probe.graph, name))
        return probe

    def randomised(self, layers: Sequence[str], seed: int) -> KerasProbe:
        with self._compiling():
            drawn = randomised_layers(self.graph, layers, seed)
            probe = KerasProbe(self.graph.model, self._published, {**self._replacements, **drawn}, self._compiling, self._guard.limits)
        probe._inputs = replace(self._inputs, graph=probe.graph)
        if self._target is not None:
            probe._target, probe._weights = TargetScores(probe.graph, self._target.readout), self._weights
        return probe

    def ascend(self, spec: AscentSpec) -> Generator[AscentState, None, AscentState]:
        self._guard.check((1, *spec.size))
        with as_domain_errors((len(spec.objective.indices) or 1, *spec.size), self._inputs.spec.shape):
            return (yield from ascend(self.graph, self._inputs.name, self.description.preprocessing, spec, self.compiled))

    def dream(self, spec: DreamSpec) -> Generator[DreamState, None, DreamState]:
        self._guard.check((1, *spec.shapes[-1]))
        with as_domain_errors((1, *spec.shapes[-1]), self._inputs.spec.shape):
            return (yield from dream(self.graph, self._inputs.name, spec, self.compiled))

    def weights(self, layer: str) -> dict[str, Float32]:
        return weights_of(self.graph, layer)

    def _gradients(
        self, tensor: Float32, layer: str, class_indices: NDArray[np.int32], *, output: str | None, precision: str, **rules: Any
    ) -> LayerGradients:
        errors = self._checked(tensor, precision, layer)
        source = self._explained(layer, output, class_indices, len(tensor))
        build = partial(build_gradients, self._inputs, layer, scores=source, precision=precision, **rules)
        call = self.compiled.get(("gradients", self._inputs.key, layer, *rules.values(), source.key, precision), build)
        with errors:
            return run_gradients(call, self._inputs.arguments(tensor), class_indices, self._weights, layer=layer, precision=precision)

    def _explained(self, layer: str, output: str | None, class_indices: NDArray[np.int32], count: int) -> ScoreSource:
        """Return the source of the scores, after a check that they come from `layer` and that it has these classes for each example."""
        source, name = self._scores(output), self.description.name
        check_layer_of_scores(name, self.graph, layer, source)
        check_classes(name, class_indices, count, len(self._weights[0]) if self._weights else self.graph.head_of(output).classes or 0)
        return source

    def _scores(self, output: str | None) -> ScoreSource:
        """Return the targets that are explained, or else the classes of `output`; None is the first one, so that it is traced once."""
        if self._target is not None:
            return self._target
        return ClassScores(self.graph, None if output == self.graph.output_names[0] else output)

    def _checked(
        self, tensor: Float32, precision: str = "float32", gradient_at: str | None = None, returned: Sequence[str] = ()
    ) -> AbstractContextManager[None]:
        """Check the batch, and return the context in which TensorFlow's errors become domain errors."""
        check_input(self.description.name, self._inputs.spec.shape, tensor, precision)
        self._guard.check(tensor.shape, gradient_at, returned)
        return as_domain_errors(tensor.shape, self._inputs.spec.shape)
