"""What ascent raises: one scalar for each image of the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import InvalidParameters
from workers.contract.synthesis import Objective
from workers.engine.ascent.target import Answer, Call, calling, chooses
from workers.engine.graph import Graph, Override
from workers.engine.inputs import inputs_with

TINY = 1e-12
LEAST_COSINE = 0.1
Values = Callable[[Any, Any, Any], Any]
"""`(x, indices, aim) → values`: model inputs (n, H, W, C); each image's channel or class (n,); `aim` of the objective; (n,)."""


def aim(objective: Objective) -> NDArray[np.generic]:
    """What an objective is about beside channels and classes: the features to reach; a sum's terms, float32 (t, 4), each index,
    weight, y and x; the weight of diversity, float32 (1,); else the neuron's (y, x), int32 (2,)."""
    if objective.diversity:
        return np.array([objective.diversity], np.float32)
    if objective.terms:
        return np.array([(term.index, term.weight, *(term.position or (0, 0))) for term in objective.terms], np.float32)
    return np.array(objective.position or (0, 0), np.int32) if objective.features is None else objective.features


def values_of(graph: Graph, objective: Objective, image_input: str, *, redirect: bool, precision: str) -> Values:
    """The objective as a function of the model's input, to be called inside a compiled function (but made outside of one).

    The model is cut at the target layer, which computes only the channels asked for where it can.
    """
    if objective.kind == "class":
        fast = graph.fast(scores=True, precision=precision)
        return lambda x, indices, aim: class_score(graph, inputs_with(graph, image_input, x), fast, indices, objective.probability)
    path = objective.layer or ""
    fast = graph.fast((path,), precision=precision)
    if objective.kind == "layer":
        return lambda x, indices, aim: mean_of_squares(graph.run(inputs_with(graph, image_input, x), [path], fast)[path])
    if objective.kind in COMPARISONS:
        compare = COMPARISONS[objective.kind]
        return lambda x, indices, aim: compare(graph.run(inputs_with(graph, image_input, x), [path], fast)[path], aim)
    layer = fast.get(path, graph.layer_at(path).layer)
    call, chosen = calling(layer), chooses(layer)

    def values(x: Any, indices: Any, aim: Any) -> Any:
        def measure(activations: Any) -> Any:
            if objective.kind == "neuron":
                return neuron(activations, chosen, indices, aim)
            return channel(activations, chosen, indices, objective.margin)

        if call is None:
            return measure(graph.run(inputs_with(graph, image_input, x), [path], fast)[path])
        answers: list[Answer] = []

        def target(inputs: Any, call: Call = call) -> Any:
            answers.append(call(inputs, indices))
            return answers[0].after

        after = measure(graph.run(inputs_with(graph, image_input, x), [path], {**fast, path: target})[path])
        before = answers[0].before
        return redirected(after, measure(tf.nn.relu(before)), measure(before)) if redirect and before is not None else after

    return values


def redirected(after: Any, unbounded: Any, before: Any) -> Any:
    """`after` (n,), with the gradient of `unbounded`, or where that is 0 of `before`.

    As lucid's redirected ReLU, at the target alone: a channel whose ReLU is closed everywhere at the start, as most of a last
    layer's are at a nearly grey image, would never move; and one that reaches a ReLU6's end would stop there, its picture unfinished.
    """
    followed = tf.where(unbounded == 0, before, unbounded)
    return tf.stop_gradient(after - followed) + followed


def channel(activations: Any, chosen: bool, indices: Any, margin: int) -> Any:
    """Mean over the map, less `margin` at each border, of image i's channel indices[i].

    `activations` (n, h, w, K) or (n, K); with `chosen` its channels are the batch's own, (…, n), and image i's is the i-th.
    """
    return _own(means(activations, margin), chosen, indices)


def means(activations: Any, margin: int) -> Any:
    """Of every channel, (n, K), over its map less `margin` at each border.

    Raises:
        InvalidParameters: nothing is left of the map.
    """
    if margin and len(activations.shape) == 4:
        height, width = activations.shape[1:3]
        if min(height, width) <= 2 * margin:
            raise InvalidParameters(
                f"The layer's map is {height}×{width} for an image of this size: nothing is left of it without its border of "
                f"{margin}, which this preset leaves out. A larger size, or an earlier layer, has a larger map.",
                pointer="/params/size",
            )
        activations = activations[:, margin:-margin, margin:-margin]
    axes = tuple(range(1, len(activations.shape) - 1))
    return tf.reduce_mean(tf.cast(activations, tf.float32), axis=axes)


def neuron(activations: Any, chosen: bool, indices: Any, position: Any) -> Any:
    """The value at (y, x) of image i's channel indices[i]."""
    return _own(tf.cast(activations[:, position[0], position[1]], tf.float32), chosen, indices)


def mean_of_squares(activations: Any) -> Any:
    """Of all channels and positions (DeepDream's objective)."""
    return tf.reduce_mean(tf.square(tf.cast(activations, tf.float32)), axis=tuple(range(1, len(activations.shape))))


def nearness(activations: Any, features: Any) -> Any:
    """−‖A − F‖² / ‖F‖² of each image, features (…) (Mahendran and Vedaldi, arXiv:1412.0035): 0 where they are reached."""
    activations = tf.cast(activations, tf.float32)
    return -_sum(tf.square(activations - features)) / tf.maximum(_sum(tf.square(features[None])), TINY)


def dot_cosine(activations: Any, features: Any) -> Any:
    """A·F / ‖F‖² times their cosine, which counts as at least 0.1 (lucid's caricatures): 1 where they are reached, and more beyond."""
    activations = tf.cast(activations, tf.float32)
    dot, squares = _sum(activations * features), _sum(tf.square(features[None]))
    cosine = dot * tf.math.rsqrt(tf.maximum(squares * _sum(tf.square(activations)), TINY))
    return dot / tf.maximum(squares, TINY) * tf.maximum(cosine, LEAST_COSINE)


COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {"l2": nearness, "dot_cosine": dot_cosine}


def class_score(graph: Graph, inputs: Any, override: Override, indices: Any, probability: bool) -> Any:
    """The logit, or the probability, of image i's class indices[i]."""
    _, logits = graph.class_scores(inputs, override=override)
    return _own(graph.head.probabilities(logits) if probability else logits, False, indices)


def _sum(values: Any) -> Any:
    """Over all axes but the first."""
    return tf.reduce_sum(values, axis=tuple(range(1, len(values.shape))))


def _own(values: Any, chosen: bool, indices: Any) -> Any:
    """(n, n) or (n, K) → (n,)."""
    return tf.linalg.diag_part(values) if chosen else tf.gather(values, indices, axis=1, batch_dims=1)
