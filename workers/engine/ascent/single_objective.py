"""Objectives about one layer or one class: a channel, a neuron, a whole layer, features to reach, or a class score."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from workers.contract.synthesis import Objective
from workers.engine.ascent.objective_formulas import (
    COMPARISONS,
    ObjectiveFunction,
    channel_mean,
    for_each_image,
    mean_of_squares,
    neuron_value,
    redirected,
)
from workers.engine.ascent.target_layer import SelectiveCall, TargetOutput, can_select_channels, selective_call
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
    return _channel_or_neuron(graph, objective, image_input, fast, redirect)


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
