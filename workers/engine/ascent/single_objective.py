"""Objectives about one layer or one class: a channel, a neuron, a whole layer, features to reach, a direction, or a class score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from workers.contract.synthesis import Objective
from workers.engine.ascent.objective_formulas import (
    COMPARISONS,
    ObjectiveFunction,
    along_direction,
    channel_mean,
    for_each_image,
    mean_of_squares,
    neuron_value,
    redirected,
)
from workers.engine.ascent.target_layer import SelectiveCall, TargetOutput, call_before_relu, can_select_channels, selective_call
from workers.engine.evaluation import Override
from workers.engine.graph import Graph
from workers.engine.model_inputs import inputs_with


def single_objective(graph: Graph, objective: Objective, image_input: str, *, redirect: bool, precision: str) -> ObjectiveFunction:
    """Return the objective as a function of the model's input `image_input`. Call this outside of a `tf.function`, the result inside.

    The model is cut at the target layer, which computes only the channels asked for where it can. With `redirect`, the gradient at
    a closed ReLU is that of its input.
    """
    if objective.kind == "class":
        fast = graph.fast_calls(scores=True, precision=precision)
        return lambda x, indices, numbers: _class_score(graph, inputs_with(graph, image_input, x), fast, indices, objective.probability)
    path = objective.layer or ""
    fast = graph.fast_calls((path,), precision=precision)
    if objective.kind == "layer":
        return lambda x, indices, numbers: mean_of_squares(graph.run(inputs_with(graph, image_input, x), [path], fast)[path])
    if objective.kind in COMPARISONS:
        compare = COMPARISONS[objective.kind]
        return lambda x, indices, numbers: compare(graph.run(inputs_with(graph, image_input, x), [path], fast)[path], numbers)
    if objective.kind == "direction":
        return _direction(graph, objective, image_input, fast, redirect)
    return _channel_or_neuron(graph, objective, image_input, fast, redirect)


def _direction(graph: Graph, objective: Objective, image_input: str, fast: Override, redirect: bool) -> ObjectiveFunction:
    path = objective.layer or ""
    call = call_before_relu(fast.get(path, graph.layer_at(path).layer)) if redirect else None

    def values(x: Any, indices: Any, numbers: Any) -> Any:
        towards, inputs = tf.gather(numbers, indices), inputs_with(graph, image_input, x)

        def measure(activations: Any) -> Any:
            return along_direction(activations, towards, objective.power)

        if call is None:
            return measure(graph.run(inputs, [path], fast)[path])
        outputs: list[TargetOutput] = []

        def target(given: Any, call: Callable[[Any], TargetOutput] = call) -> Any:
            outputs.append(call(given))
            return outputs[0].output

        after, before = measure(graph.run(inputs, [path], {**fast, path: target})[path]), outputs[0].before_relu
        return after if before is None else redirected(after, measure(tf.nn.relu(before)), measure(before))

    return values


def _channel_or_neuron(graph: Graph, objective: Objective, image_input: str, fast: Override, redirect: bool) -> ObjectiveFunction:
    path = objective.layer or ""
    layer = fast.get(path, graph.layer_at(path).layer)
    call, selected = selective_call(layer), can_select_channels(layer)

    def values(x: Any, indices: Any, numbers: Any) -> Any:
        def measure(activations: Any) -> Any:
            if objective.kind == "neuron":
                return neuron_value(activations, selected, indices, numbers)
            return channel_mean(activations, selected, indices, objective.margin)

        if call is None:
            return measure(graph.run(inputs_with(graph, image_input, x), [path], fast)[path])
        outputs: list[TargetOutput] = []

        def target(inputs: Any, call: SelectiveCall = call) -> Any:
            outputs.append(call(inputs, indices))
            return outputs[0].output

        after = measure(graph.run(inputs_with(graph, image_input, x), [path], {**fast, path: target})[path])
        before = outputs[0].before_relu
        return redirected(after, measure(tf.nn.relu(before)), measure(before)) if redirect and before is not None else after

    return values


def _class_score(graph: Graph, inputs: Any, override: Override, indices: Any, probability: bool) -> Any:
    """Return the logit, or the probability, of class indices[i] for each image i."""
    _, logits = graph.class_scores(inputs, override=override)
    return for_each_image(graph.head.probabilities(logits) if probability else logits, False, indices)
