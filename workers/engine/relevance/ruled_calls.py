"""Layers whose gradient is replaced by relevance: what flows back through them is the relevance of their output and their input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from schemas.methods.relevance.rules import FirstRule
from workers.contract.relevance import MapRule, RelevanceRules
from workers.engine.attention_layers import with_constant_attention
from workers.engine.inference import call_for_inference
from workers.engine.relevance.carried_arguments import carried_arguments
from workers.engine.relevance.layer_norms import LayerNorm
from workers.engine.relevance.linear_parts import LinearPart, linear_parts
from workers.engine.relevance.route import Route, RouteStep
from workers.engine.relevance.rules import Bounds, Propagation, stabilised
from workers.engine.relevance.step_rules import StepRule

Backward = Callable[[tf.Tensor], Sequence[tf.Tensor]]


def ruled_calls(route: Route, rules: RelevanceRules, bounds: Mapping[str, Bounds]) -> dict[str, Callable[..., Any]]:
    """Return what to call in place of the layers of a route, by the key of the call. What they compute stays the same.

    Args:
        bounds: the range of the input of first layers, by the key of the call.
    """
    return {each.step.key: _ruled(each, rules, bounds.get(each.step.key)) for each in route.steps}


def rules_used(route: Route, rules: RelevanceRules) -> dict[str, int]:
    """Return the number of linear maps that follow each rule, by the rule's name, in the order from the input to the scores."""
    found: dict[str, int] = {}
    for each in reversed(route.steps):
        if each.rule is StepRule.WEIGHTS:
            parts = linear_parts(each.operation)
            for at, part in enumerate(parts):
                name = rule_of(part, rules, first=each.is_first and at == 0, last=each.is_last and at == len(parts) - 1)
                found[name] = found.get(name, 0) + 1
    return found


def rule_of(part: LinearPart, rules: RelevanceRules, *, first: bool, last: bool) -> FirstRule | MapRule:
    """Return the rule that a linear map follows."""
    if first and rules.first is not None:
        return rules.first
    if last and rules.last is not None:
        return rules.last
    return rules.dense if part.kind == "dense" else rules.convolution


def _ruled(each: RouteStep, rules: RelevanceRules, bounds: Bounds | None) -> Callable[..., Any]:
    operation = each.operation
    if each.rule is StepRule.MOVE:
        return lambda *args, **kwargs: call_for_inference(operation, args, kwargs)
    if each.rule is StepRule.WEIGHTS:
        return lambda x, *_, **__: _weighted(each, x, rules, bounds)

    if each.rule is StepRule.NORM:
        return lambda x, *_, **__: _normed(operation, x)
    if each.rule is StepRule.ATTENTION:
        return lambda *args, **kwargs: _attended(operation, args, kwargs)

    def call(*args: Any, **kwargs: Any) -> Any:
        compute, inputs = carried_arguments(each.step, each.carriers, operation, args, kwargs)
        output = compute(*inputs)
        if each.rule is StepRule.SHARE:
            parts = [tf.nn.relu(x) for x in inputs] if rules.sums_excite else inputs
            return _carried(output, inputs, lambda relevance: _shares(compute, parts, relevance))
        return _carried(output, inputs, lambda relevance: [_summed_to(relevance, inputs[0])])

    return call


def _weighted(each: RouteStep, x: tf.Tensor, rules: RelevanceRules, bounds: Bounds | None) -> tf.Tensor:
    """Return the output of a layer with weights. It is computed in float32, whatever the layer's own number format."""
    layer: Any = each.operation
    value, parts = tf.cast(x, tf.float32), linear_parts(layer)
    for at, part in enumerate(parts):
        first, last = each.is_first and at == 0, each.is_last and at == len(parts) - 1
        value = _through_part(part, value, Propagation(rule_of(part, rules, first=first, last=last), rules, bounds if first else None))
    if layer.activation is not None:
        value = _carried(layer.activation(value), [value], lambda relevance: [relevance])
    return tf.cast(value, layer.compute_dtype)


def _normed(layer: Any, x: tf.Tensor) -> tf.Tensor:
    """Return the output of a layer norm, whose relevance is shared as that of a sum with a constant divisor (arXiv:2202.07304)."""
    value = tf.cast(x, tf.float32)
    norm = LayerNorm(layer).with_constant_divisor(value)
    output = tf.cast(call_for_inference(layer, [x]), tf.float32)
    return tf.cast(_carried(output, [value], lambda relevance: _shares(norm, [value], relevance)), layer.compute_dtype)


def _attended(layer: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tf.Tensor:
    """Return the output of attention, whose relevance goes to the values alone, by constant weights (arXiv:2202.07304)."""
    compute, values = with_constant_attention(layer, args, kwargs)
    return _carried(compute(values), [values], lambda relevance: _shares(compute, [values], relevance))


def _through_part(part: LinearPart, x: tf.Tensor, propagation: Propagation) -> tf.Tensor:
    return _carried(part.output(x), [x], lambda relevance: [propagation.back(part, x, relevance)])


def _carried(output: tf.Tensor, inputs: Sequence[tf.Tensor], backward: Backward) -> tf.Tensor:
    """Return `output` with `backward` as its gradient with respect to `inputs`. Nothing else flows back from it."""

    @tf.custom_gradient
    def call(*_: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        def relevances(relevance: tf.Tensor) -> list[tf.Tensor]:
            return [tf.cast(found, given.dtype) for found, given in zip(backward(relevance), inputs, strict=True)]

        return tf.identity(output), relevances

    carried: Any = call(*inputs)
    return carried


def _shares(compute: Callable[..., tf.Tensor], inputs: Sequence[tf.Tensor], relevance: tf.Tensor) -> list[tf.Tensor]:
    """Return x·∂z/∂x·R/z for each input x of a sum z."""
    parts = [tf.identity(x) for x in inputs]  # a sum may have the same tensor as two of its parts
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(parts)
        total = compute(*parts)
    gradients = tape.gradient(total, parts, output_gradients=[relevance / stabilised(total)])
    return [x * gradient for x, gradient in zip(parts, gradients, strict=True)]


def _summed_to(relevance: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Return relevance in the shape of x, summed over the axes along which x was repeated to the shape of the product."""
    missing = len(relevance.shape) - len(x.shape)
    relevance = tf.reduce_sum(relevance, axis=list(range(missing))) if missing > 0 else relevance
    repeated = [axis for axis, (size, whole) in enumerate(zip(x.shape, relevance.shape, strict=True)) if size == 1 and whole != 1]
    return tf.reduce_sum(relevance, axis=repeated, keepdims=True) if repeated else relevance
