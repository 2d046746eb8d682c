"""DeepLIFT through a model as one compiled function: inputs and baselines in one batch, and the way of multipliers back to the input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.methods.target_class import TOP_CLASS
from workers.contract.contributions import Contributions
from workers.engine.deep_lift import difference_rules, transformer_rules
from workers.engine.deep_lift.difference_route import DifferenceRule, DifferenceStep, difference_route
from workers.engine.domain_errors import check_finite
from workers.engine.evaluation import Override, evaluate
from workers.engine.model_inputs import ModelInputs
from workers.engine.passes import Others, traced, watch_only
from workers.engine.relevance.carried_arguments import carried_arguments
from workers.engine.relevance.linear_parts import linear_parts
from workers.engine.score_sources import ScoreSource

_RULES: dict[DifferenceRule, difference_rules.Rule] = {
    DifferenceRule.LARGEST: difference_rules.largest,
    DifferenceRule.SMALLEST: difference_rules.smallest,
    DifferenceRule.PRODUCT: difference_rules.product,
}


class ContributionPass(NamedTuple):
    """Contributions (N, H, W, C); logits, probabilities and the baselines' logits (N, classes), all float32; class indices (N,) int32."""

    contributions: tf.Tensor
    logits: tf.Tensor
    probabilities: tf.Tensor
    baseline_logits: tf.Tensor
    class_indices: tf.Tensor


def build_contributions(model_inputs: ModelInputs, scores: ScoreSource) -> Callable[..., ContributionPass]:
    """Compile `(x, others, baselines, class_indices (N,), *weights of scores) → ContributionPass`.

    `baselines` has the shape of the batch `x`. `TOP_CLASS` stands for the class with the highest logit.

    Raises:
        UnsuitableLayer: a layer has no rule, or the model has no logits.
    """
    graph, name = model_inputs.graph, model_inputs.name
    source = graph.topology.tensor_at(name)
    origin = scores.origin(scores.fast_calls((name,), "float32"))
    route = difference_route(graph.topology, source, origin.tensor, origin.override)
    override = {**origin.override, **_ruled_calls(route)}

    def contributions(
        x: tf.Tensor, others: Others, baselines: tf.Tensor, class_indices: tf.Tensor, *weights: tf.Tensor
    ) -> ContributionPass:
        both = tf.concat([x, baselines], axis=0)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            taps = {name: source}
            inputs = model_inputs.all(both, others)
            found = evaluate(graph.topology, inputs, taps, override, watch_only(name, tape), also=(origin.tensor,))
            reached, values = (found[scope][tensor] for scope, tensor in (source, origin.tensor))
            logits, probabilities = scores.of_values(values, weights)
            own, other = tf.split(logits, 2)
            class_indices = tf.where(class_indices == TOP_CLASS, tf.argmax(own, axis=1, output_type=tf.int32), class_indices)
            explained = tf.gather(own, class_indices, axis=1, batch_dims=1)
        multipliers = tf.cast(tf.split(tf.convert_to_tensor(tape.gradient(explained, reached)), 2)[0], tf.float32)
        return ContributionPass(multipliers * (x - baselines), own, tf.split(probabilities, 2)[0], other, class_indices)

    return traced(contributions, (*model_inputs.signature, model_inputs.spec, tf.TensorSpec((None,), tf.int32), *scores.signature))


def run_contributions(
    call: Callable[..., ContributionPass],
    arguments: Sequence[Any],
    baselines: NDArray[np.float32],
    class_indices: NDArray[np.int32],
    weights: Sequence[tf.Tensor],
) -> Contributions:
    """Return what a function of `build_contributions` computes, as arrays.

    Args:
        call: the compiled function.
        arguments: its arguments `x` and `others`.
        baselines: float32 (N, H, W, C).
        class_indices: int32 (N,).
        weights: its arguments for the scores.

    Raises:
        NonFinite: contributions or logits are not finite.
    """
    result = call(*arguments, tf.constant(baselines, tf.float32), tf.constant(class_indices, tf.int32), *weights)
    found = Contributions(*(value.numpy() for value in result))
    check_finite("in float32", {"logits": found.logits, "contributions": found.contributions})
    return found


def _ruled_calls(route: Sequence[DifferenceStep]) -> Override:
    """Return what to call in place of the steps that are not linear, by the key of the call. What they compute stays the same."""
    return {each.step.key: _ruled(each) for each in route if each.rule is not DifferenceRule.LINEAR}


def _ruled(each: DifferenceStep) -> Callable[..., Any]:
    if each.rule is DifferenceRule.WEIGHTS:
        return lambda x, *_, **__: _weighted(each.operation, x)

    if each.rule is DifferenceRule.NORM:
        return lambda x, *_, **__: transformer_rules.normed(each.operation, x)
    if each.rule is DifferenceRule.ATTENTION:
        return transformer_rules.attended(each.operation)

    def call(*args: Any, **kwargs: Any) -> Any:
        compute, inputs = carried_arguments(each.step, each.carriers, each.operation, args, kwargs)
        if each.rule is DifferenceRule.RESCALE:  # a tensor that is multiplied by itself is a function of one value, too
            return difference_rules.with_rule(difference_rules.rescale, lambda x: compute(*[x] * len(inputs)), inputs[:1])
        return difference_rules.with_rule(_RULES[each.rule], compute, inputs)

    return call


def _weighted(layer: Any, x: tf.Tensor) -> tf.Tensor:
    """Return the output of a layer with weights. It is computed in float32, whatever the layer's own number format."""
    value = tf.cast(x, tf.float32)
    for part in linear_parts(layer):
        value = part.output(value)
    if layer.activation is not None:
        value = difference_rules.with_rule(difference_rules.rescale, layer.activation, [value])
    return tf.cast(value, layer.compute_dtype)
