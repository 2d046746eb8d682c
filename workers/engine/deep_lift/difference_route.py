"""The steps between a model's input and its scores, and the rule by which differences go back through each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import keras

from schemas.errors import NoGradient, UnsuitableLayer
from workers.engine.evaluation import Override
from workers.engine.keras_internals import source_package
from workers.engine.relevance.step_rules import StepRule, is_scale, step_rule
from workers.engine.topology import GraphStep, TensorRef, Topology


class DifferenceRule(Enum):
    """The way in which the difference of an output from that of the baseline is shared among the differences of the inputs.

    LINEAR: by the gradient, which is the same everywhere (Shrikumar et al., arXiv:1704.02685, section 3.5.1).
    WEIGHTS: a layer with weights is linear, and its activation follows RESCALE.
    RESCALE: of a function of one value, by the quotient of both differences (section 3.5.2).
    LARGEST, SMALLEST: of a maximum or a minimum, the difference goes to the place that won, in the input or at the baseline, as in Captum.
    PRODUCT: of a product of two factors, each gets its difference times the mean of the other factor, which is its Shapley value, as in
        SHAP's DeepExplainer.
    NORM, ATTENTION: layer norm and attention, as the steps that they are made of.
    """

    LINEAR = auto()
    WEIGHTS = auto()
    RESCALE = auto()
    LARGEST = auto()
    SMALLEST = auto()
    PRODUCT = auto()
    NORM = auto()
    ATTENTION = auto()


@dataclass(frozen=True)
class DifferenceStep:
    """One call that depends on the input.

    Attributes:
        step: the call.
        operation: what is called.
        rule: how differences go through it.
        carriers: the inputs that depend on the model's input.
    """

    step: GraphStep
    operation: Callable[..., Any]
    rule: DifferenceRule
    carriers: frozenset[TensorRef]


_BY_STEP_RULE = {
    StepRule.WEIGHTS: DifferenceRule.WEIGHTS,
    StepRule.PASS: DifferenceRule.RESCALE,
    StepRule.MOVE: DifferenceRule.LINEAR,
    StepRule.SHARE: DifferenceRule.LINEAR,
    StepRule.GATE: DifferenceRule.PRODUCT,
    StepRule.NORM: DifferenceRule.NORM,
    StepRule.ATTENTION: DifferenceRule.ATTENTION,
}
_TOKENS_RANK = 3  # (N, T, K)
_LARGEST, _SMALLEST = frozenset(["Maximum", "Max", "Amax"]), frozenset(["Minimum", "Min", "Amin"])


def difference_route(topology: Topology, source: TensorRef, target: TensorRef, override: Override) -> tuple[DifferenceStep, ...]:
    """Return the calls between the tensors `source` and `target`, the last one first.

    Args:
        override: what is called in place of layers, by path.

    Raises:
        UnsuitableLayer: a layer on the way has no rule. The error names it.
        NoGradient: the target does not depend on the source.
    """
    dependent, calls = {source}, list[tuple[GraphStep, frozenset[TensorRef]]]()
    for step in topology.required_steps(frozenset([target])):
        carriers = frozenset(ref for ref in step.reads if ref in dependent)
        if not carriers or source in step.writes:
            continue
        dependent.update(step.writes)
        if step.kind == "call":
            calls.append((step, carriers))
    if target not in dependent:
        raise NoGradient(f"The score does not depend on input '{topology.owners[source]}'.", pointer="/model")
    route: list[DifferenceStep] = []
    for step, carriers in reversed(calls):
        operation = override.get(step.key) or override.get(step.path) or step.operation
        route.append(DifferenceStep(step, operation, _rule_of(step, operation, carriers), carriers))
    return tuple(route)


def _rule_of(step: GraphStep, operation: Any, carriers: frozenset[TensorRef]) -> DifferenceRule:
    tensors = {(step.scope, id(tensor)): tensor for tensor in step.node.input_tensors}
    shape = tuple(tensors[next(iter(carriers))].shape)
    found = step_rule(operation, len(tensors), keeps_shape=shape == tuple(step.node.outputs[0].shape))
    if found is None:
        raise _no_rule(step, _reason(operation))
    rule = _BY_STEP_RULE[found]
    if found is StepRule.PASS and is_scale(operation):
        return DifferenceRule.LINEAR
    if found is StepRule.MOVE:
        return _rule_of_move(operation)
    if rule is DifferenceRule.ATTENTION and (why := _why_no_attention(step, operation)):
        raise _no_rule(step, why)
    if rule is DifferenceRule.PRODUCT and len(carriers) > 2:
        raise _no_rule(step, f"it is a product of {len(carriers)} factors, and only two have a rule")
    return rule


def _why_no_attention(step: GraphStep, operation: Any) -> str | None:
    """Return why an attention layer has no rule, or None if it has one."""
    if any(len(tensor.shape) != _TOKENS_RANK for tensor in step.node.outputs):
        return "it attends over a map, or returns its attention, and only attention among tokens has a rule"
    return "a gate is part of it" if operation.get_config().get("use_gate") else None


def _rule_of_move(operation: Any) -> DifferenceRule:
    """Return the rule of an operation that copies values to other places, or takes the largest of a window, an axis or several tensors."""
    names = frozenset(parent.__name__ for parent in type(operation).__mro__ if source_package(parent))
    if not names.isdisjoint(_LARGEST) or any("Max" in name and "Pool" in name for name in names):
        return DifferenceRule.LARGEST
    return DifferenceRule.LINEAR if names.isdisjoint(_SMALLEST) else DifferenceRule.SMALLEST


def _reason(operation: Any) -> str:
    activation = getattr(operation, "activation", None)
    if isinstance(operation, keras.Layer) and activation is not None and not isinstance(activation, keras.Layer):
        return f"its activation is '{getattr(activation, '__name__', type(activation).__name__)}', or it is quantised or of another layout"
    return "there are rules for convolutions, dense layers, layer norm, attention, pooling, sums, products of two factors and activations"


def _no_rule(step: GraphStep, why: str) -> UnsuitableLayer:
    return UnsuitableLayer(
        f"Layer '{step.path}' ({type(step.operation).__name__}) has no rule of DeepLIFT: {why}. Use integrated_gradients for this model.",
        pointer="/model",
        got=step.path,
    )
