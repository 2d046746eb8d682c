"""Different images of one channel: each is kept from being like the others (Olah et al., Feature Visualization, Distill 2017)."""

from __future__ import annotations

from math import prod
from typing import Any

import tensorflow as tf

from workers.contract.synthesis import Objective
from workers.engine.ascent.objectives import TINY, Values, channel, redirected
from workers.engine.ascent.target import recording
from workers.engine.graph import Graph
from workers.engine.inputs import inputs_with

MOST_IMAGES = 16  # of one channel


def diverse_of(graph: Graph, objective: Objective, image_input: str, *, redirect: bool, precision: str) -> Values:
    """`(x, indices, aim) → values` as `objectives.values_of`, less `diversity` (aim's only number) times `likeness`."""
    path = objective.layer or ""
    fast = graph.fast((path,), precision=precision)
    call = recording(fast.get(path, graph.layer_at(path).layer)) if redirect else None

    def values(x: Any, indices: Any, aim: Any) -> Any:
        before: list[Any] = []

        def target(inputs: Any) -> Any:
            assert call is not None  # noqa: S101 - replaced only then
            answer = call(inputs)
            before.append(answer.before)
            return answer.after

        override = fast if call is None else {**fast, path: target}
        activations = graph.run(inputs_with(graph, image_input, x), [path], override)[path]
        measured = channel(activations, False, indices, objective.margin)
        if before:
            unbounded = channel(tf.nn.relu(before[0]), False, indices, objective.margin)
            measured = redirected(measured, unbounded, channel(before[0], False, indices, objective.margin))
        return measured - aim[0] * likeness(activations)

    return values


def likeness(activations: Any) -> Any:
    """Of each image (n, h, w, K), the mean over the others of the cosine between their Gram matrices AᵀA: (n,), 0 where n is 1."""
    activations = tf.cast(activations, tf.float32)
    count, channels = tf.shape(activations)[0], activations.shape[-1]
    products = _products(tf.reshape(activations, (count, prod(activations.shape[1:-1]), channels)))
    lengths = tf.sqrt(tf.maximum(tf.linalg.diag_part(products), TINY))
    cosines = products / (lengths[:, None] * lengths[None, :])
    others = tf.reduce_sum(cosines, axis=1) - tf.linalg.diag_part(cosines)
    return others / tf.cast(tf.maximum(count - 1, 1), tf.float32)


def _products(a: Any) -> Any:
    """⟨AᵢᵀAᵢ, AⱼᵀAⱼ⟩ of A (n, positions, K): (n, n); where there are few positions as ‖AᵢAⱼᵀ‖², which needs no K × K."""
    _, positions, channels = a.shape
    if MOST_IMAGES * positions**2 <= channels**2:
        return tf.reduce_sum(tf.square(tf.einsum("ipk,jqk->ijpq", a, a)), axis=(2, 3))
    grams = tf.reshape(tf.matmul(a, a, transpose_a=True), (-1, channels * channels))
    return tf.matmul(grams, grams, transpose_b=True)
