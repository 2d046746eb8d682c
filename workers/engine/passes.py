"""The forward passes of a probe, and the projection of activations back to the input, as compiled functions.

The batch axis is free, and so are height and width where the model takes any size. `others` holds the values (1, …) of the model's other
inputs by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from schemas.errors import NoGradient
from workers.contract.probe import Forward, ReluRule
from workers.engine.domain_errors import check_finite
from workers.engine.evaluation import Intercept
from workers.engine.graph import Graph
from workers.engine.model_inputs import ModelInputs
from workers.engine.relu_rules import with_relu_rule
from workers.engine.score_sources import ScoreSource, TargetScores

Others = Mapping[str, tf.Tensor]


class ForwardPass(NamedTuple):
    """Activations (N, …) by layer path; logits and probabilities (N, classes), or None if no scores were asked for; all float32."""

    activations: dict[str, tf.Tensor]
    logits: tf.Tensor | None
    probabilities: tf.Tensor | None


def build_forward(
    model_inputs: ModelInputs, layers: Sequence[str], *, scores: ScoreSource | None, precision: str
) -> Callable[..., ForwardPass]:
    """Compile `(x, others, *weights of scores) → ForwardPass`. Only what the layers and the `scores`, if any, depend on is computed."""
    graph = model_inputs.graph
    override = scores.fast_calls(layers, precision) if scores else graph.fast_calls(layers, precision=precision)

    def forward(x: tf.Tensor, others: Others, *weights: tf.Tensor) -> ForwardPass:
        inputs = model_inputs.all(x, others)
        if not scores:
            return ForwardPass(_as_float32(graph.run(inputs, layers, override)), None, None)
        activations, logits, probabilities = scores.read(inputs, layers, override, None, weights)
        return ForwardPass(_as_float32(activations), logits, probabilities)

    return traced(forward, (*model_inputs.signature, *(scores.signature if scores else ())))


def build_values(model_inputs: ModelInputs, target: TargetScores, *, precision: str) -> Callable[..., tf.Tensor]:
    """Compile `(x, others) → (N, …)`: the values that targets are read from."""
    override = target.fast_calls((), precision)

    def values(x: tf.Tensor, others: Others) -> tf.Tensor:
        return target.values(model_inputs.all(x, others), (), override)[1]

    return traced(values, model_inputs.signature)


def build_scores_from(
    model_inputs: ModelInputs, layer: str, layers: Sequence[str], *, scores: ScoreSource, precision: str
) -> Callable[..., ForwardPass]:
    """Compile `(x, others, activations (N, …), *weights of scores) → ForwardPass`: the scores with the activations of a layer replaced.

    The activations of `layers` are those that follow from it.
    The layers that lead only to this layer are traced too, and TensorFlow then drops them, since no result needs them.
    """
    taps = tuple(dict.fromkeys((layer, *layers)))
    override = scores.fast_calls(taps, precision)

    def scores_from(x: tf.Tensor, others: Others, activations: tf.Tensor, *weights: tf.Tensor) -> ForwardPass:
        def replace(tapped: str, own: tf.Tensor) -> tf.Tensor:
            if tapped != layer:
                return own
            return tf.ensure_shape(tf.cast(activations, own.dtype), own.shape)

        found, logits, probabilities = scores.read(model_inputs.all(x, others), taps, override, replace, weights)
        return ForwardPass(_as_float32({path: found[path] for path in layers}), logits, probabilities)

    return traced(scores_from, (*model_inputs.signature, _activations_spec(model_inputs.graph, layer), *scores.signature))


def build_backproject(model_inputs: ModelInputs, layer: str, relu_rule: ReluRule) -> Callable[..., tf.Tensor]:
    """Compile `(x, others, seed (N, …)) → (N, H, W, C)`: the gradient of Σ seed·activation of a layer with respect to the batch `x`.

    Raises:
        NoGradient: an operation between the input and the layer has no gradient.
    """
    graph, name = model_inputs.graph, model_inputs.name
    override = with_relu_rule(graph, relu_rule, graph.fast_calls((layer,)))

    def backproject(x: tf.Tensor, others: Others, seed: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            inputs = model_inputs.all(x, others)
            taps = graph.run(inputs, (name, layer), override, watch_only(name, tape))
        activations = taps[layer]
        gradient = tape.gradient(activations, taps[name], output_gradients=[tf.cast(seed, activations.dtype)])
        if gradient is None:
            raise NoGradient(f"No gradient of layer '{layer}' reaches the model's input.", pointer="/params/layer", got=layer)
        return tf.cast(tf.convert_to_tensor(gradient), tf.float32)

    return traced(backproject, (*model_inputs.signature, _activations_spec(graph, layer)))


def as_forward(result: ForwardPass, precision: str) -> Forward:
    """Return the arrays of a forward pass that was computed in `precision`.

    Raises:
        NonFinite: activations or logits are not finite.
    """
    activations = {path: activation.numpy() for path, activation in result.activations.items()}
    logits, probabilities = (None if value is None else value.numpy() for value in (result.logits, result.probabilities))
    check_finite(f"in {precision}", {**{f"activations of layer '{path}'": a for path, a in activations.items()}, "logits": logits})
    return Forward(activations, logits, probabilities)


def traced(function: Callable[..., Any], signature: Sequence[Any]) -> Any:
    """Compile a function and trace it now, while the cache holds its lock. Autograph is off: it has nothing to do and garbles errors."""
    compiled = tf.function(function, input_signature=signature, autograph=False)
    compiled.get_concrete_function()
    return compiled


def watch_only(path: str, *tapes: tf.GradientTape) -> Intercept:
    """Return an intercept with which `tapes` differentiate with respect to the output of the layer `path` alone.

    The output is copied by an identity, because a layer such as dropout returns its input, which other layers may read too.
    """

    def watch(tapped: str, activation: tf.Tensor) -> tf.Tensor:
        if tapped != path:
            return activation
        activation = tf.identity(activation)
        if activation.dtype.is_floating:
            for tape in tapes:
                tape.watch(activation)
        return activation

    return watch


def _activations_spec(graph: Graph, layer: str) -> tf.TensorSpec:
    return tf.TensorSpec((None, *graph.layer_at(layer).output_shape[1:]), tf.float32)


def _as_float32(activations: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {path: tf.cast(activation, tf.float32) for path, activation in activations.items()}
