"""Passes that return attention probabilities, and the gradient of class scores by them, as compiled functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import UnsuitableLayer
from schemas.methods.target_class import TOP_CLASS
from workers.contract.arrays import Float32
from workers.contract.attention import AttentionGradients, Attentions
from workers.engine.attention_layers import attention_calls, seeing_calls
from workers.engine.domain_errors import check_finite
from workers.engine.evaluation import evaluate
from workers.engine.model_inputs import ModelInputs
from workers.engine.passes import Others, traced
from workers.engine.score_sources import ScoreSource


class AttentionPass(NamedTuple):
    """Probabilities (N, heads, T, S) and their gradients by the key of the call; class scores (N, classes); class indices (N,) int32."""

    layers: dict[str, tf.Tensor]
    gradients: dict[str, tf.Tensor]
    logits: tf.Tensor | None
    probabilities: tf.Tensor | None
    class_indices: tf.Tensor | None


def build_attentions(model_inputs: ModelInputs, layers: Sequence[str], *, scores: ScoreSource | None) -> Callable[..., AttentionPass]:
    """Compile `(x, others, *weights of scores) → AttentionPass` without gradients, and without scores if `scores` is None.

    Raises:
        UnsuitableLayer: the attention of a layer cannot be seen.
    """
    graph = model_inputs.graph
    steps = attention_calls(graph.topology, layers)
    fast = scores.fast_calls(layers, "float32") if scores else graph.fast_calls(layers)

    def attentions(x: tf.Tensor, others: Others, *weights: tf.Tensor) -> AttentionPass:
        found: dict[str, tf.Tensor] = {}
        override = seeing_calls(steps, fast, found.setdefault)
        inputs, logits, probabilities = model_inputs.all(x, others), None, None
        if scores:
            _, logits, probabilities = scores.read(inputs, layers, override, None, weights)
        else:
            evaluate(graph.topology, inputs, {}, override, also=[step.writes[0] for step in steps])
        return AttentionPass(_as_float32(found), {}, logits, probabilities, None)

    return traced(attentions, (*model_inputs.signature, *(scores.signature if scores else ())))


def build_attention_gradients(model_inputs: ModelInputs, layers: Sequence[str], scores: ScoreSource) -> Callable[..., AttentionPass]:
    """Compile `(x, others, class_indices (N,), *weights of scores) → AttentionPass`: each example's gradient by all probabilities.

    The gradient counts every way from the probabilities to the score, also through the attention of later layers. `TOP_CLASS` stands for
    the class with the highest logit.

    Raises:
        UnsuitableLayer: the attention of a layer cannot be seen.
    """
    graph = model_inputs.graph
    steps = attention_calls(graph.topology, layers)
    fast = scores.fast_calls(layers, "float32")

    def gradients(x: tf.Tensor, others: Others, class_indices: tf.Tensor, *weights: tf.Tensor) -> AttentionPass:
        found: dict[str, tf.Tensor] = {}
        with tf.GradientTape(watch_accessed_variables=False) as tape:

            def watch(key: str, probabilities: tf.Tensor) -> tf.Tensor:
                found[key] = probabilities = tf.identity(probabilities)
                tape.watch(probabilities)
                return probabilities

            override = seeing_calls(steps, fast, watch)
            _, logits, probabilities = scores.read(model_inputs.all(x, others), (), override, None, weights)
            class_indices = tf.where(class_indices == TOP_CLASS, tf.argmax(logits, axis=1, output_type=tf.int32), class_indices)
            explained = tf.gather(logits, class_indices, axis=1, batch_dims=1)
        by_key: Any = tape.gradient(explained, found, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return AttentionPass(_as_float32(found), _as_float32(by_key), logits, probabilities, class_indices)

    return traced(gradients, (*model_inputs.signature, tf.TensorSpec((None,), tf.int32), *scores.signature))


def run_attentions(call: Callable[..., AttentionPass], arguments: Sequence[Any], weights: Sequence[tf.Tensor]) -> Attentions:
    """Return what a function of `build_attentions` computes, as arrays.

    Raises:
        NonFinite: probabilities or logits are not finite.
        UnsuitableLayer: a layer attends within windows.
    """
    result = call(*arguments, *weights)
    layers = _arrays(result.layers, len(arguments[0]))
    logits, probabilities = (None if value is None else value.numpy() for value in (result.logits, result.probabilities))
    check_finite("in float32", {"logits": logits, **_named("attention", layers)})
    return Attentions(layers, logits, probabilities)


def run_attention_gradients(
    call: Callable[..., AttentionPass], arguments: Sequence[Any], class_indices: NDArray[np.int32], weights: Sequence[tf.Tensor]
) -> AttentionGradients:
    """Return what a function of `build_attention_gradients` computes, as arrays.

    Raises:
        NonFinite: probabilities, gradients or logits are not finite.
        UnsuitableLayer: a layer attends within windows.
    """
    result: Any = call(*arguments, tf.constant(class_indices, tf.int32), *weights)
    layers, gradients = (_arrays(values, len(arguments[0])) for values in (result.layers, result.gradients))
    found = AttentionGradients(layers, gradients, result.logits.numpy(), result.probabilities.numpy(), result.class_indices.numpy())
    check_finite("in float32", {"logits": found.logits, **_named("attention", layers), **_named("gradients by the attention", gradients)})
    return found


def _arrays(values: Mapping[str, tf.Tensor], examples: int) -> dict[str, Float32]:
    """Return the values as arrays in the order of the calls, after a check that they have one entry for each example."""
    found = {key: value.numpy() for key, value in values.items()}
    for key, array in found.items():
        if len(array) != examples:
            raise UnsuitableLayer(
                f"Layer '{key}' attends within {len(array) // examples} windows of each image, so a position does not attend to the whole "
                "map.",
                pointer="/params/layer",
                got=key,
            )
    return found


def _as_float32(values: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {key: tf.cast(tf.convert_to_tensor(value), tf.float32) for key, value in values.items()}


def _named(what: str, arrays: Mapping[str, Float32]) -> dict[str, Float32 | None]:
    return {f"{what} of layer '{key}'": array for key, array in arrays.items()}
