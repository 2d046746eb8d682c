"""Weighted sums of objectives: a direction in a layer's channels, or parts of several layers and classes at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import tensorflow as tf

from workers.contract.synthesis import Objective
from workers.engine.ascent.objectives import Values, means, redirected
from workers.engine.ascent.target import Answer, recording
from workers.engine.graph import Graph
from workers.engine.inputs import inputs_with

Measure = Callable[[Any], Any]


def shape_of(objective: Objective) -> Hashable:
    """What a compiled sum depends on; indices, weights and positions are its `aim`."""
    return tuple((term.kind, term.layer) for term in objective.terms)


def sum_of(graph: Graph, objective: Objective, image_input: str, *, redirect: bool, precision: str) -> Values:
    """`(x, indices, aim) → Σ weight · term`, (n,), as `objectives.values_of`; every image has the same terms."""
    groups: dict[tuple[str, str | None], list[int]] = {}
    for row, term in enumerate(objective.terms):
        groups.setdefault((term.kind, term.layer), []).append(row)
    paths = tuple(dict.fromkeys(path for _, path in groups if path is not None))
    scores = ("class", None) in groups
    fast = graph.fast(paths, scores=scores, precision=precision)
    calls = {path: recording(fast.get(path, graph.layer_at(path).layer)) for path in paths} if redirect else {}

    def values(x: Any, indices: Any, aim: Any) -> Any:
        del indices
        before: dict[str, Any] = {}
        override = {**fast, **{path: _noted(call, before, path) for path, call in calls.items() if call is not None}}
        inputs = inputs_with(graph, image_input, x)
        activations, logits = graph.class_scores(inputs, paths, override) if scores else (graph.run(inputs, paths, override), None)
        total = tf.zeros(tf.shape(x)[0])
        for (kind, path), rows in groups.items():
            terms = tf.gather(aim, np.array(rows))
            measure = _measure(kind, terms, objective.margin)
            measured = measure(logits if path is None else activations[path])
            if path in before:
                measured = redirected(measured, measure(tf.nn.relu(before[path])), measure(before[path]))
            total += tf.linalg.matvec(measured, terms[:, 1])
        return total

    return values


def _noted(call: Callable[[Any], Answer], before: dict[str, Any], path: str) -> Callable[[Any], Any]:
    def target(x: Any) -> Any:
        answer = call(x)
        before[path] = answer.before
        return answer.after

    return target


def _measure(kind: str, terms: Any, margin: int) -> Measure:
    """(n, …, K) → (n, t): each term's part of an output. `terms` (t, 4), as `objectives.aim` has them."""
    index = tf.cast(terms[:, 0], tf.int32)
    if kind == "channel":
        return lambda activations: tf.gather(means(activations, margin), index, axis=1)
    if kind == "neuron":
        places = tf.concat([tf.cast(terms[:, 2:], tf.int32), index[:, None]], axis=1)  # (t, 3): y, x, k
        return lambda activations: tf.transpose(tf.gather_nd(tf.transpose(tf.cast(activations, tf.float32), (1, 2, 3, 0)), places))
    return lambda logits: tf.gather(logits, index, axis=1)
