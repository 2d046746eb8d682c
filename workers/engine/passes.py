"""The forward and the gradient pass as compiled functions with a free batch axis, free height and width where the model's are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from schemas.errors import NoGradient
from workers.engine.graph import Graph, Override


class ForwardPass(NamedTuple):
    activations: dict[str, tf.Tensor]
    logits: tf.Tensor | None
    probabilities: tf.Tensor | None


class GradientPass(NamedTuple):
    activations: tf.Tensor
    gradients: tf.Tensor
    logits: tf.Tensor
    probabilities: tf.Tensor
    class_indices: tf.Tensor


def image_spec(graph: Graph, name: str) -> tf.TensorSpec:
    """(None, H, W, C) of the model's input `name`, with H and W None where they are free."""
    _, *sizes = graph.unfolded.inputs[graph.input_names.index(name)].shape
    return tf.TensorSpec((None, *sizes), tf.float32)


def build_forward(graph: Graph, name: str, layers: Sequence[str], scores: bool, precision: str) -> Callable[..., ForwardPass]:
    """`(x) → ForwardPass`, all float32; only what `layers`, and with `scores` the class scores, depend on is computed."""
    override = graph.fast(layers, scores=scores, precision=precision)

    def forward(x: tf.Tensor) -> ForwardPass:
        if not scores:
            return ForwardPass(_float32(graph.run({name: x}, layers, override)), None, None)
        activations, logits = graph.class_scores({name: x}, layers, override)
        return ForwardPass(_float32(activations), logits, graph.head.probabilities(logits))

    return _traced(forward, (image_spec(graph, name),))


def build_gradients(graph: Graph, name: str, layer: str, score: str, precision: str) -> Callable[..., GradientPass]:
    """`(x, class_indices (N,), sign ()) → GradientPass`: of each example the gradient of its class's score at `layer`.

    The tape starts at the layer, so that only what comes after it is differentiated. A class index below 0 is the top class.
    With `sign` −1 the score is the negative answer's: −logit, or 1 − p.

    Raises:
        NoGradient: an operation between the layer and the class score has no gradient.
    """
    override = graph.fast((layer,), scores=True, precision=precision)

    def gradients(x: tf.Tensor, class_indices: tf.Tensor, sign: tf.Tensor) -> GradientPass:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            taps, logits = graph.class_scores({name: x}, (layer,), override, _watched_by(tape))
            probabilities = graph.head.probabilities(logits)
            class_indices = tf.where(class_indices < 0, tf.argmax(logits, axis=1, output_type=tf.int32), class_indices)
            scores = logits if score == "logit" else probabilities
            explained = sign * tf.gather(scores, class_indices, axis=1, batch_dims=1)
        gradient = tape.gradient(explained, taps[layer])
        if gradient is None:
            raise NoGradient(_why_none(graph, {name: x}, layer, override), pointer="/params/layer", got=layer)
        gradient = tf.cast(tf.convert_to_tensor(gradient), tf.float32)
        return GradientPass(tf.cast(taps[layer], tf.float32), gradient, logits, probabilities, class_indices)

    signature = (image_spec(graph, name), tf.TensorSpec((None,), tf.int32), tf.TensorSpec((), tf.float32))
    return _traced(gradients, signature)


def _traced(function: Callable[..., Any], signature: Sequence[tf.TensorSpec]) -> Any:
    """Compiled and traced at once, while whoever builds it holds its lock; autograph has nothing to do and garbles errors."""
    compiled = tf.function(function, input_signature=signature, autograph=False)
    compiled.get_concrete_function()
    return compiled


def _watched_by(tape: tf.GradientTape) -> Callable[[str, tf.Tensor], tf.Tensor]:
    """An intercept after which `tape` differentiates with respect to the layer's output alone: an identity, since a layer
    that passes its input on returns the very tensor that others may read too."""

    def watch(_: str, activation: tf.Tensor) -> tf.Tensor:
        activation = tf.identity(activation)
        if activation.dtype.is_floating:
            tape.watch(activation)
        return activation

    return watch


def _why_none(graph: Graph, inputs: Any, layer: str, override: Override) -> str:
    """Names the first layer after `layer` that no gradient passes."""
    between = [
        other.path for other in graph.layers if other.path != layer and graph.reaches(layer, other.path) and graph.reaches(other.path)
    ]
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        watch = _watched_by(tape)
        taps = graph.run(inputs, (layer, *between), override, lambda path, value: watch(path, value) if path == layer else value)
    for path in between:
        if not taps[path].dtype.is_floating or tape.gradient(taps[path], taps[layer]) is None:
            kind = type(graph.layer_at(path).layer).__name__
            return f"No gradient of the class score reaches layer '{layer}': '{path}' ({kind}), between the two, is not differentiable."
    return f"No gradient of the class score reaches layer '{layer}': the last operation before the score is not differentiable."


def _float32(activations: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {path: tf.cast(activation, tf.float32) for path, activation in activations.items()}
