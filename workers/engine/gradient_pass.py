"""The gradient pass of a probe as a compiled function: the gradient of class scores at a layer, and the Hessian times its activations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import NoGradient
from schemas.methods.target_class import TOP_CLASS
from workers.contract.probe import LayerGradients, ReluRule
from workers.contract.scores import GradientScore
from workers.engine.domain_errors import check_finite
from workers.engine.evaluation import Override
from workers.engine.graph import Graph
from workers.engine.model_inputs import ModelInputs
from workers.engine.passes import Others, traced, watch_only
from workers.engine.relu_rules import with_relu_rule
from workers.engine.score_sources import ScoreSource


class GradientPass(NamedTuple):
    """Activations and gradients (N, …), logits and probabilities (N, classes), all float32; class indices (N,) int32.

    `products` are the Hessian times the activations (N, …), or None if they were not asked for.
    """

    activations: tf.Tensor
    gradients: tf.Tensor
    logits: tf.Tensor
    probabilities: tf.Tensor
    class_indices: tf.Tensor
    products: tf.Tensor | None


def build_gradients(
    model_inputs: ModelInputs,
    layer: str,
    *,
    score: GradientScore,
    relu_rule: ReluRule,
    products: bool,
    scores: ScoreSource,
    precision: str,
) -> Callable[..., GradientPass]:
    """Compile `(x, others, class_indices (N,), *weights of scores) → GradientPass`: each example's gradient of its score at a layer.

    The tape starts at the layer, so that only what comes after it is differentiated. `TOP_CLASS` stands for the class with the
    highest logit. The products H·A are the gradient of Σ gradient·A, in which A is held fixed, so the Hessian H itself is never made.

    Raises:
        NoGradient: an operation between the layer and the class score has no gradient, or no second one.
    """
    graph = model_inputs.graph
    override = with_relu_rule(graph, relu_rule, scores.fast_calls((layer,), precision))

    def gradients(x: tf.Tensor, others: Others, class_indices: tf.Tensor, *weights: tf.Tensor) -> GradientPass:
        with tf.GradientTape(watch_accessed_variables=False) as second:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                inputs = model_inputs.all(x, others)
                watched = watch_only(layer, tape, *((second,) if products else ()))
                taps, logits, probabilities = scores.read(inputs, (layer,), override, watched, weights)
                class_indices = tf.where(class_indices == TOP_CLASS, tf.argmax(logits, axis=1, output_type=tf.int32), class_indices)
                every = {"logit": logits, "probability": probabilities}.get(score)
                every = scores.residual_softmax(logits) if every is None else every
                explained = tf.gather(every, class_indices, axis=1, batch_dims=1)
            gradient = tape.gradient(explained, taps[layer])
        if gradient is None:
            raise NoGradient(_why_no_gradient(graph, inputs, layer, scores, override), pointer="/params/layer", got=layer)
        found = _products(second, gradient, taps[layer], layer) if products else None
        gradient = tf.cast(tf.convert_to_tensor(gradient), tf.float32)
        return GradientPass(tf.cast(taps[layer], tf.float32), gradient, logits, probabilities, class_indices, found)

    return traced(gradients, (*model_inputs.signature, tf.TensorSpec((None,), tf.int32), *scores.signature))


def run_gradients(
    call: Callable[..., GradientPass],
    arguments: Sequence[Any],
    class_indices: NDArray[np.int32],
    weights: Sequence[tf.Tensor],
    *,
    layer: str,
    precision: str,
) -> LayerGradients:
    """Return what a function of `build_gradients` computes, as arrays.

    Args:
        call: the compiled function.
        arguments: its arguments `x` and `others`.
        class_indices: int32 (N,).
        weights: its arguments for the scores.
        layer: the path of the layer, for errors.
        precision: the number format, for errors.

    Raises:
        NonFinite: activations, logits, gradients or products are not finite.
    """
    result = call(*arguments, tf.constant(class_indices, tf.int32), *weights)
    activations, gradients, logits, probabilities, explained = (value.numpy() for value in result[:-1])
    products = None if result.products is None else result.products.numpy()
    found = LayerGradients(activations, gradients, logits, probabilities, explained, products)
    values = {f"activations of layer '{layer}'": found.activations, "logits": found.logits}
    check_finite(
        f"in {precision}",
        {**values, f"gradients at layer '{layer}'": found.gradients, f"second gradients at layer '{layer}'": found.products},
    )
    return found


def _products(tape: tf.GradientTape, gradient: Any, activations: tf.Tensor, layer: str) -> tf.Tensor:
    """Return the Hessian times the activations, float32. It is 0 where the gradient does not depend on the activations.

    Raises:
        NoGradient: an operation between the layer and the class score has no second gradient.
    """
    try:
        found = tape.gradient(gradient, activations, output_gradients=[activations], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    except LookupError as error:
        raise NoGradient(
            f"The gradient of the class score at layer '{layer}' has itself no gradient: TensorFlow knows no second gradient of an "
            f"operation between the two ({error}). Choose a later layer, or a method that needs no second gradient, such as grad_cam.",
            pointer="/params/layer",
            got=layer,
        ) from error
    return tf.cast(tf.convert_to_tensor(found), tf.float32)


def _why_no_gradient(graph: Graph, inputs: Any, layer: str, scores: ScoreSource, override: Override) -> str:
    """Return a message that names the first layer after `layer` which passes no gradient."""
    between = [
        other.path
        for other in graph.layers
        if other.path != layer and graph.reaches(layer, other.path) and scores.is_computed_from(other.path)
    ]
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        taps = graph.run(inputs, (layer, *between), override, watch_only(layer, tape))
    for path in between:
        if not taps[path].dtype.is_floating or tape.gradient(taps[path], taps[layer]) is None:
            kind = type(graph.layer_at(path).layer).__name__
            return f"No gradient of the class score reaches layer '{layer}': '{path}' ({kind}), between the two, is not differentiable."
    return f"No gradient of the class score reaches layer '{layer}': the last operation before the score is not differentiable."
