"""ReLUs that hand back another gradient than their own: stand-ins for one run, the model's own layers are left as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from workers.contract.probe import ReluRule
from workers.engine.keras_internals import Relu, Relu6
from workers.engine.shadow import shadow_deeply

if TYPE_CHECKING:
    from workers.engine.graph import Graph, Override

RELUS = (
    *(keras.activations.relu, keras.ops.relu, tf.nn.relu),
    *(keras.activations.relu6, keras.ops.relu6, tf.nn.relu6),
)


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


def is_relu(call: Any) -> bool:
    """Whether it is a ReLU, plain or with an end (ReLU6)."""
    if isinstance(call, keras.layers.ReLU):
        return not call.negative_slope and not call.threshold
    return isinstance(call, (Relu, Relu6)) or any(call is function for function in RELUS)


def ruled(rule: ReluRule, relu: Callable[[Any], Any]) -> Callable[..., Any]:
    """`relu` with the gradient g·1[g > 0] (deconv), or g·1[x > 0]·1[g > 0] (guided).

    Neither stops at the end of a ReLU6: what is at its end is what responds most, and would be left out.
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


def _following(rule: ReluRule, call: Any) -> Any:
    if isinstance(call, keras.Layer):
        return shadow_deeply(call, partial(_changes, rule))
    return ruled(rule, call) if is_relu(call) else call


def _changes(rule: ReluRule, layer: Any) -> Mapping[str, Any]:
    if is_relu(layer):
        return {"call": ruled(rule, layer.call)}
    activation: Any = getattr(layer, "activation", None)
    return {"activation": ruled(rule, activation)} if is_relu(activation) else {}
