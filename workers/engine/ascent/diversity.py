"""Different images of one channel: each is kept unlike the others (Olah et al., Feature Visualization, Distill 2017)."""

from __future__ import annotations

from math import prod
from typing import Any

import tensorflow as tf

from workers.contract.synthesis import Objective
from workers.engine.ascent.objective_formulas import TINY, ObjectiveFunction, channel_mean, redirected
from workers.engine.ascent.target_layer import call_before_relu
from workers.engine.graph import Graph
from workers.engine.model_inputs import inputs_with

MOST_IMAGES = 16  # the largest number of diverse images of one channel


def diverse_objective(graph: Graph, objective: Objective, image_input: str, *, redirect: bool, precision: str) -> ObjectiveFunction:
    """Return the mean of a channel less `numbers[0]` (the weight of diversity) times `similarity`, as a function of the model's input.

    Call this outside of a `tf.function`, the result inside.
    """
    path = objective.layer or ""
    fast = graph.fast_calls((path,), precision=precision)
    call = call_before_relu(fast.get(path, graph.layer_at(path).layer)) if redirect else None

    def values(x: Any, indices: Any, numbers: Any) -> Any:
        before: list[Any] = []

        def target(inputs: Any) -> Any:
            assert call is not None  # noqa: S101 - the layer is replaced only in this case
            answer = call(inputs)
            before.append(answer.before_relu)
            return answer.output

        override = fast if call is None else {**fast, path: target}
        activations = graph.run(inputs_with(graph, image_input, x), [path], override)[path]
        measured = channel_mean(activations, False, indices, objective.margin)
        if before:
            unbounded = channel_mean(tf.nn.relu(before[0]), False, indices, objective.margin)
            measured = redirected(measured, unbounded, channel_mean(before[0], False, indices, objective.margin))
        return measured - numbers[0] * similarity(activations)

    return values


def similarity(activations: Any) -> Any:
    """Return how similar each image is to the others, (n, h, w, K) → (n,); it is 0 for a single image.

    This is the mean over the other images of the cosine between the Gram matrices AᵀA of both.
    """
    activations = tf.cast(activations, tf.float32)
    count, channels = tf.shape(activations)[0], activations.shape[-1]
    products = _gram_products(tf.reshape(activations, (count, prod(activations.shape[1:-1]), channels)))
    lengths = tf.sqrt(tf.maximum(tf.linalg.diag_part(products), TINY))
    cosines = products / (lengths[:, None] * lengths[None, :])
    others = tf.reduce_sum(cosines, axis=1) - tf.linalg.diag_part(cosines)
    return others / tf.cast(tf.maximum(count - 1, 1), tf.float32)


def _gram_products(a: Any) -> Any:
    """Return ⟨AᵢᵀAᵢ, AⱼᵀAⱼ⟩ for A (n, positions, K), (n, n).

    Where there are few positions it is computed as ‖AᵢAⱼᵀ‖², which needs no matrix of K × K.
    """
    _, positions, channels = a.shape
    if MOST_IMAGES * positions**2 <= channels**2:
        return tf.reduce_sum(tf.square(tf.einsum("ipk,jqk->ijpq", a, a)), axis=(2, 3))
    grams = tf.reshape(tf.matmul(a, a, transpose_a=True), (-1, channels * channels))
    return tf.matmul(grams, grams, transpose_b=True)
