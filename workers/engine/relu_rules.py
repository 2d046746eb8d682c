"""ReLUs whose gradient follows the rule of guided backpropagation or of the deconvnet, for one run; the model is not changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from workers.contract.probe import ReluRule
from workers.engine.evaluation import Override
from workers.engine.graph import Graph
from workers.engine.keras_internals import Relu, Relu6
from workers.engine.layer_copies import copy_layer_and_inner
from workers.engine.score_sources import ScoreSource

_RELU_FUNCTIONS = (
    *(keras.activations.relu, keras.ops.relu, tf.nn.relu),
    *(keras.activations.relu6, keras.ops.relu6, tf.nn.relu6),
)


def with_relu_rule(graph: Graph, rule: ReluRule, override: Override) -> Override:
    """Return `override` extended so that the gradient of every ReLU of the graph follows `rule`.

    This includes layers and operations that are a ReLU, and layers that have one as their `activation`. Leaky and thresholded
    ReLUs and other activations keep their own gradient.
    """
    if rule == "gradient":
        return override
    extended: dict[str, Callable[..., Any]] = dict(override)
    for step in graph.topology.steps:
        if step.kind == "call":
            call = override.get(step.path, step.operation)
            if (replacement := _with_rule(rule, call)) is not call:
                extended[step.path] = replacement
    return extended


def count_relus(graph: Graph, source: str, scores: ScoreSource) -> int:
    """Return how many layers and operations with a ReLU lie between layer `source` and the scores."""
    return sum(
        _with_rule("guided", layer.layer) is not layer.layer and graph.reaches(source, layer.path) and scores.is_computed_from(layer.path)
        for layer in graph.layers
        if not layer.is_model
    )


def is_relu(call: Any) -> bool:
    """Return whether a layer, operation or function is a plain ReLU or a ReLU6."""
    if isinstance(call, keras.layers.ReLU):
        return not call.negative_slope and not call.threshold
    return isinstance(call, (Relu, Relu6)) or any(call is function for function in _RELU_FUNCTIONS)


def relu_with_rule(rule: ReluRule, relu: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a function that computes `relu` and has the gradient g·1[g > 0] (deconv) or g·1[x > 0]·1[g > 0] (guided).

    A ReLU6 passes the gradient also where it has reached 6: these positions respond most and would otherwise be left out.
    Sources: Zeiler and Fergus, arXiv:1311.2901 (deconv); Springenberg et al., arXiv:1412.6806 (guided).
    """

    @tf.custom_gradient
    def call(x: Any) -> tuple[Any, Callable[[Any], Any]]:
        def backward(g: Any) -> Any:
            passed = tf.nn.relu(g)
            if rule == "guided":
                passed = tf.where(x > 0, passed, tf.zeros_like(passed))
            return tf.cast(passed, x.dtype)

        return relu(x), backward

    return lambda x, *_, **__: call(x)


def _with_rule(rule: ReluRule, call: Any) -> Any:
    if isinstance(call, keras.Layer):
        return copy_layer_and_inner(call, partial(_changes, rule))
    return relu_with_rule(rule, call) if is_relu(call) else call


def _changes(rule: ReluRule, layer: Any) -> Mapping[str, Any]:
    if is_relu(layer):
        return {"call": relu_with_rule(rule, layer.call)}
    activation: Any = getattr(layer, "activation", None)
    return {"activation": relu_with_rule(rule, activation)} if is_relu(activation) else {}
