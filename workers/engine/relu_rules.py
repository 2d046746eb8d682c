"""ReLUs that hand back another gradient than their own: stand-ins for one run, the model's own layers are left as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from keras.src.ops.nn import Relu, Relu6

from workers.engine.shadow import shadow_deeply
from workers.interface import ReluRule

if TYPE_CHECKING:
    from workers.engine.graph import Graph, Override

RELU = (keras.activations.relu, keras.ops.relu, tf.nn.relu)
RELU6 = (keras.activations.relu6, keras.ops.relu6, tf.nn.relu6)


def with_relu_rule(graph: Graph, rule: ReluRule, override: Override) -> Override:
    """`override` with every ReLU of the graph following `rule`: layers and operations that are one, and those that end in one or
    hold one by an `activation` argument. Leaky and thresholded ones, and other activations, keep their own gradient."""
    if rule == "gradient":
        return override
    ruled: dict[str, Callable[..., Any]] = dict(override)
    for step in graph.unfolded.steps:
        if step.kind == "call":
            call = override.get(step.path, step.operation)
            if (following := _following(rule, call)) is not call:
                ruled[step.path] = following
    return ruled


def count_relus(graph: Graph, source: str, output: str | None) -> int:
    """Layers and operations with a ReLU between layer `source` and the class scores of `output`."""
    return sum(
        _following("guided", layer.layer) is not layer.layer
        and graph.reaches(source, layer.path)
        and graph.reaches(layer.path, output=output)
        for layer in graph.layers
        if not layer.is_model
    )


def cap_of(call: Any) -> float | None:
    """Where a ReLU's output ends, infinity for a plain one; None for what is no ReLU."""
    if isinstance(call, keras.layers.ReLU):
        plain = not call.negative_slope and not call.threshold
        return (float("inf") if call.max_value is None else float(call.max_value)) if plain else None
    if isinstance(call, Relu6) or any(call is function for function in RELU6):
        return 6.0
    return float("inf") if isinstance(call, Relu) or any(call is function for function in RELU) else None


def ruled(rule: ReluRule, relu: Callable[[Any], Any], cap: float) -> Callable[..., Any]:
    """`relu` with the gradient g·1[g > 0] (deconv), or g·1[0 < x < cap]·1[g > 0] (guided)."""

    @tf.custom_gradient
    def call(x: Any) -> tuple[Any, Callable[[Any], Any]]:
        def backward(g: Any) -> Any:
            passed = tf.nn.relu(g)
            if rule == "guided":
                passed = tf.where((x > 0) & (x < tf.cast(cap, x.dtype)), passed, tf.zeros_like(passed))
            return tf.cast(passed, x.dtype)

        return relu(x), backward

    return lambda x, *_, **__: call(x)


def _following(rule: ReluRule, call: Any) -> Any:
    if isinstance(call, keras.Layer):
        return shadow_deeply(call, partial(_changes, rule))
    cap = cap_of(call)
    return call if cap is None else ruled(rule, call, cap)


def _changes(rule: ReluRule, layer: Any) -> Mapping[str, Any]:
    if isinstance(layer, keras.layers.ReLU):
        cap = cap_of(layer)
        return {} if cap is None else {"call": ruled(rule, layer.call, cap)}
    activation: Any = getattr(layer, "activation", None)
    cap = cap_of(activation)
    return {} if cap is None else {"activation": ruled(rule, activation, cap)}
