"""The scores that a pass of a model gives: those of an output's classes, or those of targets that are read from any of its tensors."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from schemas.errors import UnsuitableLayer
from workers.contract.scores import Readout
from workers.engine.evaluation import Intercept, Override, evaluate
from workers.engine.graph import Graph
from workers.engine.topology import TensorRef

# A vector that is shorter than this is divided by this in place of its own length.
_LEAST_LENGTH = 1e-12


class ScoreOrigin(NamedTuple):
    """The tensor that scores are read from, and what is called in place of layers so that it holds logits where there are some."""

    tensor: TensorRef
    override: Override


class ScoreSource(Protocol):
    """The scores of a model. `weights` are the arguments that the compiled function takes for them; the classes of an output need none."""

    @property
    def key(self) -> Hashable:
        """The key of this source in the cache of compiled functions. Sources with different computations have different keys."""
        ...

    @property
    def signature(self) -> tuple[tf.TensorSpec, ...]:
        """The shapes of `weights`."""
        ...

    def fast_calls(self, taps: Collection[str], precision: str) -> Override:
        """Return what to call in place of layers if `taps` and the scores are computed."""
        ...

    def is_computed_from(self, layer: str) -> bool:
        """Return whether the scores are computed from the layer at this path."""
        ...

    def read(
        self, inputs: Any, taps: Sequence[str], override: Override, intercept: Intercept | None, weights: Sequence[tf.Tensor]
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        """Return the outputs of the tapped layers by path, and logits and probabilities (N, classes), float32."""
        ...

    def residual_softmax(self, logits: tf.Tensor) -> tf.Tensor:
        """Return the logit plus the logarithm of the probability of each class, (N, classes) float32. Targets are returned as they are."""
        ...

    def origin(self, override: Override, *, needs_logits: bool = True) -> ScoreOrigin:
        """Return the tensor that the scores are read from, if `override` is called in place of layers.

        Raises:
            UnsuitableLayer: logits are needed, and the model has probabilities alone.
        """
        ...

    def of_values(self, values: tf.Tensor, weights: Sequence[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Return logits and probabilities (N, classes) of the values of this tensor (N, …), float32.

        The logits are linear in the values: the length by which a readout is divided counts as a constant.
        """
        ...


@dataclass(frozen=True)
class ClassScores:
    """The classes of an output (None means the first)."""

    graph: Graph
    output: str | None

    @property
    def key(self) -> Hashable:
        return self.output

    @property
    def signature(self) -> tuple[tf.TensorSpec, ...]:
        return ()

    def fast_calls(self, taps: Collection[str], precision: str) -> Override:
        return self.graph.fast_calls(taps, scores=True, output=self.output, precision=precision)

    def is_computed_from(self, layer: str) -> bool:
        return self.graph.reaches_scores(layer, self.output)

    def read(
        self, inputs: Any, taps: Sequence[str], override: Override, intercept: Intercept | None, weights: Sequence[tf.Tensor]
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        activations, logits = self.graph.class_scores(inputs, taps, override, intercept, self.output)
        return activations, logits, self.graph.head_of(self.output).probabilities(logits)

    def residual_softmax(self, logits: tf.Tensor) -> tf.Tensor:
        return logits + self.graph.head_of(self.output).log_probabilities(logits)

    def origin(self, override: Override, *, needs_logits: bool = True) -> ScoreOrigin:
        return _origin_of_logits(self.graph, self.output, override, needs_logits=needs_logits)

    def of_values(self, values: tf.Tensor, weights: Sequence[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        head = self.graph.head_of(self.output)
        logits = head.logits(tf.cast(values, tf.float32))
        return logits, head.probabilities(logits)


@dataclass(frozen=True)
class TargetScores:
    """Targets that are weighted sums of a readout's values. The weights (targets, …) are the one argument."""

    graph: Graph
    readout: Readout

    @property
    def key(self) -> Hashable:
        return self.readout

    @property
    def signature(self) -> tuple[tf.TensorSpec, ...]:
        return (tf.TensorSpec((None, *self._shape()), tf.float32),)

    def fast_calls(self, taps: Collection[str], precision: str) -> Override:
        if self.readout.source == "layer":
            return self.graph.fast_calls((*taps, self._layer), precision=precision)
        return self.graph.fast_calls(taps, scores=True, output=self.readout.name, precision=precision)

    def is_computed_from(self, layer: str) -> bool:
        if self.readout.source == "layer":
            return self.graph.reaches(layer, self._layer)
        if self.readout.source == "output":
            topology = self.graph.topology
            output = topology.output_tensor(topology.output_index(self.readout.name))
            return topology.is_computed_from(topology.tensor_at(layer), frozenset([output]))
        return self.graph.reaches_scores(layer, self.readout.name)

    def read(
        self, inputs: Any, taps: Sequence[str], override: Override, intercept: Intercept | None, weights: Sequence[tf.Tensor]
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        activations, values = self.values(inputs, taps, override, intercept)
        scores = weighted_sums(values, *weights, normalised=self.readout.normalised)
        return activations, scores, scores

    def residual_softmax(self, logits: tf.Tensor) -> tf.Tensor:
        return logits

    def origin(self, override: Override, *, needs_logits: bool = True) -> ScoreOrigin:
        topology = self.graph.topology
        if self.readout.source == "layer":
            return ScoreOrigin(topology.tensor_at(self._layer), override)
        if self.readout.source == "output":
            return ScoreOrigin(topology.output_tensor(topology.output_index(self.readout.name)), override)
        return _origin_of_logits(self.graph, self.readout.name, override, needs_logits=needs_logits)

    def of_values(self, values: tf.Tensor, weights: Sequence[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        values = tf.cast(values, tf.float32)
        if self.readout.source in ("logits", "probabilities"):
            values = self.graph.head_of(self.readout.name).logits(values)
        if self.readout.normalised:
            length = tf.norm(tf.reshape(values, (tf.shape(values)[0], -1)), axis=1)
            values /= tf.stop_gradient(tf.reshape(tf.maximum(length, _LEAST_LENGTH), (-1, *[1] * (len(values.shape) - 1))))
        scores = weighted_sums(values, *weights, normalised=False)
        return scores, scores

    def values(
        self, inputs: Any, taps: Sequence[str], override: Override, intercept: Intercept | None = None
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Return the outputs of the tapped layers by path, and the readout's values (N, …), float32."""
        readout = self.readout
        if readout.source == "layer":
            found = self.graph.run(inputs, [*taps, self._layer], override, intercept)
            return {tap: found[tap] for tap in taps}, tf.cast(found[self._layer], tf.float32)
        if readout.source == "output":
            topology = self.graph.topology
            scope, tensor = topology.output_tensor(topology.output_index(readout.name))
            refs = {tap: topology.tensor_at(tap) for tap in taps}
            values = evaluate(topology, inputs, refs, override, intercept, also=((scope, tensor),))
            return {tap: values[at][ref] for tap, (at, ref) in refs.items()}, tf.cast(values[scope][tensor], tf.float32)
        activations, logits = self.graph.logits(inputs, taps, override, intercept, readout.name)
        return activations, logits if readout.source == "logits" else self.graph.head_of(readout.name).probabilities(logits)

    @property
    def _layer(self) -> str:
        return self.readout.name or ""

    def _shape(self) -> tuple[int | None, ...]:
        """Return the shape of the values without the batch axis."""
        if self.readout.source == "layer":
            return self.graph.layer_at(self._layer).output_shape[1:]
        topology = self.graph.topology
        shape = tuple(topology.outputs[topology.output_index(self.readout.name)].shape)[1:]
        if self.readout.source == "output":
            return shape
        head = self.graph.head_of(self.readout.name)
        return (*shape[:-1], head.classes or head.dense_classes)


def _origin_of_logits(graph: Graph, output: str | None, override: Override, *, needs_logits: bool) -> ScoreOrigin:
    topology, head = graph.topology, graph.head_of(output)
    tensor = topology.output_tensor(topology.output_index(output))
    if needs_logits and (head.gives_probabilities or head.kind == "log_probabilities"):
        path = topology.owners[tensor]
        raise UnsuitableLayer(
            f"Layer '{path}' gives probabilities of which no logits are known, so there is no score whose relevance could go back.",
            pointer="/model",
            got=path,
        )
    return ScoreOrigin(tensor, head.without_activation(override))


def weighted_sums(values: tf.Tensor, weights: tf.Tensor, *, normalised: bool) -> tf.Tensor:
    """Return Σ weights[t]·values of each example for each target t, (N, targets) float32.

    This is the one function from a model's outputs to the scalars that are explained, other than a class's own score.

    Args:
        values: (N, …).
        weights: (targets, …).
        normalised: divide the values of each example by their Euclidean length first.
    """
    flat = tf.reshape(values, (tf.shape(values)[0], -1))
    if normalised:
        flat /= tf.maximum(tf.norm(flat, axis=1, keepdims=True), _LEAST_LENGTH)
    return tf.matmul(flat, tf.reshape(weights, (tf.shape(weights)[0], -1)), transpose_b=True)
