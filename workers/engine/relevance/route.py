"""The way of relevance from the scores of a model back to its input, or to a layer: which steps it goes through, and by which rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import keras

from schemas.errors import NoGradient, UnsuitableLayer
from workers.engine.attention_layers import attended_values
from workers.engine.evaluation import Override
from workers.engine.inference import first_argument
from workers.engine.relevance.gates import signal_of
from workers.engine.relevance.step_rules import StepRule, step_rule
from workers.engine.topology import GraphStep, TensorRef, Topology


@dataclass(frozen=True)
class RouteStep:
    """One call that relevance goes through.

    Attributes:
        step: the call.
        operation: what is called.
        rule: how relevance goes through it.
        carriers: the inputs that get relevance.
        is_first: whether it has weights and no layer with weights lies before it.
        is_last: whether it has weights and no layer with weights lies between it and the score.
    """

    step: GraphStep
    operation: Callable[..., Any]
    rule: StepRule
    carriers: frozenset[TensorRef]
    is_first: bool = False
    is_last: bool = False


@dataclass(frozen=True)
class Route:
    """The steps that relevance goes through, the last one of the model first."""

    steps: tuple[RouteStep, ...]

    @property
    def merged(self) -> int:
        """The number of batch norms that were merged into the layer before them."""
        return sum(_is_batch_norm(each) and each.operation is first_argument for each in self.steps)

    @property
    def passed(self) -> int:
        """The number of batch norms that were not merged, through which relevance passes unchanged."""
        return sum(_is_batch_norm(each) and each.operation is not first_argument for each in self.steps)


@dataclass
class _Dependence:
    """The tensors that are computed from the source, and those of them that are computed by a layer with weights."""

    tensors: set[TensorRef]
    weighted: set[TensorRef] = field(default_factory=set[TensorRef])


def find_route(topology: Topology, source: TensorRef, target: TensorRef, override: Override, without: Collection[StepRule] = ()) -> Route:
    """Return the route of relevance from the tensor `target` to the tensor `source`.

    Args:
        override: what is called in place of layers, by path.
        without: kinds of steps that have no rule here.

    Raises:
        UnsuitableLayer: a layer on the way has no rule. The error names it.
        NoGradient: the scores depend on the source only through gates.
    """
    steps = topology.required_steps(frozenset([target]))
    operations = {step.key: override.get(step.key) or override.get(step.path) or step.operation for step in steps if step.kind == "call"}
    dependence = _dependence(steps, source, target, operations)
    reached, route = {target}, list[RouteStep]()
    before_weights = set[TensorRef]()  # these tensors are read by a layer with weights on the way to the target, or lead to one
    for step in reversed(steps):
        refs = frozenset(ref for ref in step.reads if ref in dependence.tensors)
        if not refs or reached.isdisjoint(step.writes) or source in step.writes:
            continue
        weighted = not before_weights.isdisjoint(step.writes)
        if step.kind == "call":
            found = _through(topology, step, operations[step.key], list(refs), dependence)
            if found.rule in without:
                raise _no_rule(step, "values that are divided or weighed by others do not excite each other")
            if found.carriers:
                route.append(replace(found, is_last=found.rule is StepRule.WEIGHTS and not weighted))
            refs, weighted = found.carriers, weighted or found.rule is StepRule.WEIGHTS
        reached.update(refs)
        before_weights.update(refs if weighted else ())
    if source not in reached:
        path = topology.owners[source]
        raise NoGradient(f"The score depends on input '{path}' only through gates, and gates get no relevance.", pointer="/model")
    return Route(tuple(route))


def _dependence(
    steps: tuple[GraphStep, ...], source: TensorRef, target: TensorRef, operations: Mapping[str, Callable[..., Any]]
) -> _Dependence:
    found = _Dependence({source})
    for step in steps:
        if found.tensors.isdisjoint(step.reads) or source in step.writes:
            continue
        found.tensors.update(step.writes)
        weighted = step.kind == "call" and step_rule(operations[step.key], 1, keeps_shape=False) is StepRule.WEIGHTS
        if weighted or not found.weighted.isdisjoint(step.reads):
            found.weighted.update(step.writes)
    return found


def _through(
    topology: Topology, step: GraphStep, operation: Callable[..., Any], refs: list[TensorRef], dependence: _Dependence
) -> RouteStep:
    tensors = {(step.scope, id(tensor)): tensor for tensor in step.node.input_tensors}
    carriers = list(dict.fromkeys(refs))
    keeps_shape = tuple(tensors[carriers[0]].shape) == tuple(step.node.outputs[0].shape)
    read = [(step.scope, id(tensor)) for tensor in step.node.input_tensors]  # a sum or a product may have the same tensor twice
    rule = step_rule(operation, len(read), keeps_shape=keeps_shape)
    if rule is None:
        raise _no_rule(step, _reason(operation))
    if rule is StepRule.GATE:
        signal = signal_of(topology, step, list(tensors.values())) or (carriers[0] if len(carriers) == 1 else None)
        if signal is None or read.count(signal) > 1:
            raise _no_rule(step, "neither of its inputs is clearly a gate, so the relevance of the product cannot be given to one of them")
        carriers = [ref for ref in carriers if ref == signal]
    if rule is StepRule.ATTENTION:
        if len(step.node.outputs) > 1:
            raise _no_rule(step, "it also returns its attention")
        carriers = [ref for ref in carriers if ref == attended_values(step)]
    is_first = rule is StepRule.WEIGHTS and dependence.weighted.isdisjoint(carriers)
    return RouteStep(step, operation, rule, frozenset(carriers), is_first)


def _reason(operation: Any) -> str:
    activation = getattr(operation, "activation", None)
    if isinstance(operation, keras.Layer) and activation is not None and not isinstance(activation, keras.Layer):
        return f"its activation is '{getattr(activation, '__name__', type(activation).__name__)}', or it is quantised or of another layout"
    return "relevance propagation is defined for convolutions, dense layers, layer norm, attention, pooling, sums, gates and activations"


def _no_rule(step: GraphStep, why: str) -> UnsuitableLayer:
    kind = type(step.operation).__name__
    return UnsuitableLayer(
        f"Layer '{step.path}' ({kind}) has no rule of relevance propagation: {why}. Use a method of gradients, such as "
        "integrated_gradients, for this model.",
        pointer="/model",
        got=step.path,
    )


def _is_batch_norm(each: RouteStep) -> bool:
    return isinstance(each.step.operation, keras.layers.BatchNormalization)
