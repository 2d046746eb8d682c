"""Weighted sums of objectives: a direction in the channels of a layer, or channels, neurons and classes of several layers at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from workers.contract.synthesis import Objective
from workers.engine.ascent.objective_formulas import ObjectiveFunction, channel_means, redirected
from workers.engine.ascent.target_layer import TargetOutput, call_before_relu
from workers.engine.graph import Graph
from workers.engine.model_inputs import inputs_with

Measure = Callable[[Any], Any]
"""A layer's activations (n, …, K), or the logits (n, K), give the values of t terms (n, t)."""


def weighted_sum(graph: Graph, objective: Objective, image_input: str, *, redirect: bool, precision: str) -> ObjectiveFunction:
    """Return Σ weight · term as a function of the model's input; every image has the same terms, which are given as numbers.

    Call this outside of a `tf.function`, the result inside.
    """
    groups: dict[tuple[str, str | None], list[int]] = {}
    for row, term in enumerate(objective.terms):
        groups.setdefault((term.kind, term.layer), []).append(row)
    paths = tuple(dict.fromkeys(path for _, path in groups if path is not None))
    scores = ("class", None) in groups
    fast = graph.fast_calls(paths, scores=scores, precision=precision)
    calls = {path: call_before_relu(fast.get(path, graph.layer_at(path).layer)) for path in paths} if redirect else {}

    def values(x: Any, indices: Any, numbers: Any) -> Any:
        del indices
        before: dict[str, Any] = {}
        override = {**fast, **{path: _recording_call(call, before, path) for path, call in calls.items() if call is not None}}
        inputs = inputs_with(graph, image_input, x)
        activations, logits = graph.class_scores(inputs, paths, override) if scores else (graph.run(inputs, paths, override), None)
        total = tf.zeros(tf.shape(x)[0])
        for (kind, path), rows in groups.items():
            terms = tf.gather(numbers, np.array(rows))
            measure = _measure(kind, terms, objective.margin)
            measured = measure(logits if path is None else activations[path])
            if path in before:
                measured = redirected(measured, measure(tf.nn.relu(before[path])), measure(before[path]))
            total += tf.linalg.matvec(measured, terms[:, 1])
        return total

    return values


def _recording_call(call: Callable[[Any], TargetOutput], before: dict[str, Any], path: str) -> Callable[[Any], Any]:
    """Return a call of the layer at `path` that also stores the input of its ReLU in `before`."""

    def target(x: Any) -> Any:
        answer = call(x)
        before[path] = answer.before_relu
        return answer.output

    return target


def _measure(kind: str, terms: Any, margin: int) -> Measure:
    """Return the measure of terms of one kind; `terms` (t, 4) are rows of `objective_functions.objective_numbers`."""
    index = tf.cast(terms[:, 0], tf.int32)
    if kind == "channel":
        return lambda activations: tf.gather(channel_means(activations, margin), index, axis=1)
    if kind == "neuron":
        places = tf.concat([tf.cast(terms[:, 2:], tf.int32), index[:, None]], axis=1)  # (t, 3): y, x, k
        return lambda activations: tf.transpose(tf.gather_nd(tf.transpose(tf.cast(activations, tf.float32), (1, 2, 3, 0)), places))
    return lambda logits: tf.gather(logits, index, axis=1)
