"""Relevance propagation through a model as one compiled function: the forward pass, and the way of relevance back to the input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.methods.target_class import TOP_CLASS
from workers.contract.relevance import InputRange, RelevanceRules, Relevances
from workers.engine.domain_errors import check_finite
from workers.engine.evaluation import evaluate
from workers.engine.model_inputs import ModelInputs
from workers.engine.passes import Others, traced, watch_only
from workers.engine.relevance.route import Route, find_route
from workers.engine.relevance.ruled_calls import ruled_calls, rules_used
from workers.engine.relevance.rules import Bounds
from workers.engine.relevance.step_rules import StepRule
from workers.engine.score_sources import ScoreOrigin, ScoreSource


class RelevancePass(NamedTuple):
    """Relevance at the input or at a layer (N, …), logits and probabilities (N, classes), all float32; class indices (N,) int32."""

    relevances: tf.Tensor
    logits: tf.Tensor
    probabilities: tf.Tensor
    class_indices: tf.Tensor


class RulesUsed(NamedTuple):
    """The number of linear maps by rule, and the number of batch norms that were merged and that relevance passed through."""

    rules: Mapping[str, int]
    batch_norms_merged: int
    batch_norms_passed: int


def build_relevances(
    model_inputs: ModelInputs, rules: RelevanceRules, scores: ScoreSource
) -> Callable[..., tuple[RelevancePass, RulesUsed]]:
    """Compile `(x, others, low, high, class_indices (N,), *weights of scores) → (RelevancePass, RulesUsed)`.

    `low` and `high` have the shape of the batch `x`, and are the range of the model's input. The relevance of the scores' tensor is the
    score itself, shared among its values as they contribute to it; if relevance starts with 1, it is the weights of its values in the
    score. `TOP_CLASS` stands for the class with the highest logit.

    Raises:
        UnsuitableLayer: a layer has no rule, or the model has no logits.
    """
    graph, name = model_inputs.graph, rules.until or model_inputs.name
    source = graph.topology.tensor_at(name)
    origin = scores.origin(scores.fast_calls((name,), "float32"))
    without = (StepRule.NORM, StepRule.ATTENTION) if rules.sums_excite else ()
    route = find_route(graph.topology, source, origin.tensor, origin.override, without)
    used = RulesUsed(rules_used(route, rules), route.merged, route.passed)

    def relevances(
        x: tf.Tensor, others: Others, low: tf.Tensor, high: tf.Tensor, class_indices: tf.Tensor, *weights: tf.Tensor
    ) -> RelevancePass:
        bounds = {}
        if rules.first is not None:
            ends = (model_inputs.all(end, others) for end in (low, high))
            bounds = _bounds(model_inputs, route, origin, *ends)
        override = {**origin.override, **ruled_calls(route, rules, bounds)}
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            taps = {name: source}
            found = evaluate(graph.topology, model_inputs.all(x, others), taps, override, watch_only(name, tape), also=(origin.tensor,))
        reached, values = (found[scope][tensor] for scope, tensor in (source, origin.tensor))
        with tf.GradientTape(watch_accessed_variables=False) as tape_of_scores:
            tape_of_scores.watch(values)
            logits, probabilities = scores.of_values(values, weights)
            class_indices = tf.where(class_indices == TOP_CLASS, tf.argmax(logits, axis=1, output_type=tf.int32), class_indices)
            explained = tf.gather(logits, class_indices, axis=1, batch_dims=1)
        shares = tape_of_scores.gradient(explained, values)
        if not rules.starts_with_one:
            shares *= values
        arrived = tf.cast(tf.convert_to_tensor(tape.gradient(values, reached, output_gradients=shares)), tf.float32)
        return RelevancePass(arrived, logits, probabilities, class_indices)

    spec = model_inputs.spec
    run = traced(relevances, (*model_inputs.signature, spec, spec, tf.TensorSpec((None,), tf.int32), *scores.signature))
    return lambda *arguments: (run(*arguments), used)


def run_relevances(
    call: Callable[..., tuple[RelevancePass, RulesUsed]],
    arguments: Sequence[Any],
    values: InputRange,
    class_indices: NDArray[np.int32],
    weights: Sequence[tf.Tensor],
) -> Relevances:
    """Return what a function of `build_relevances` computes, as arrays.

    Args:
        call: the compiled function.
        arguments: its arguments `x` and `others`.
        values: the range of the model's input.
        class_indices: int32 (N,).
        weights: its arguments for the scores.

    Raises:
        NonFinite: relevances or logits are not finite.
    """
    low, high = (tf.constant(end, tf.float32) for end in (values.low, values.high))
    result, used = call(*arguments, low, high, tf.constant(class_indices, tf.int32), *weights)
    found = Relevances(
        relevances=result.relevances.numpy(),
        logits=result.logits.numpy(),
        probabilities=result.probabilities.numpy(),
        class_indices=result.class_indices.numpy(),
        rules=used.rules,
        batch_norms_merged=used.batch_norms_merged,
        batch_norms_passed=used.batch_norms_passed,
    )
    check_finite("in float32", {"logits": found.logits, "relevances": found.relevances})
    return found


def _bounds(
    model_inputs: ModelInputs, route: Route, origin: ScoreOrigin, low: Mapping[str, tf.Tensor], high: Mapping[str, tf.Tensor]
) -> dict[str, Bounds]:
    """Return the range of the input of each first layer, by the key of its call.

    Before the first layer, models only scale and pad their input, so the ends of its range become the ends of the layer's range. At
    padding, the two ends are equal.
    """
    topology = model_inputs.graph.topology
    first = {each.step.key: each.step.reads[0] for each in route.steps if each.is_first}
    ends = [evaluate(topology, inputs, {}, origin.override, also=tuple(first.values())) for inputs in (low, high)]
    found: dict[str, Bounds] = {}
    for key, (scope, tensor) in first.items():
        one, other = (tf.cast(values[scope][tensor], tf.float32) for values in ends)
        found[key] = tf.minimum(one, other), tf.maximum(one, other)
    return found
