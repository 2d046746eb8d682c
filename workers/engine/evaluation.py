"""Running the steps of a topology on tensors, eagerly or inside a `tf.function`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf

from schemas.errors import InvalidParameters
from workers.engine.inference import call_for_inference
from workers.engine.keras_internals import nested_model_inputs, standardised_inputs
from workers.engine.topology import GraphStep, TensorRef, TensorValues, Topology

Override = Mapping[str, Callable[..., Any]]
"""Functions that are called in place of layers, by path. `path//1` stands for the second call of a shared layer alone."""
NO_OVERRIDE: Override = MappingProxyType({})
Intercept = Callable[[str, tf.Tensor], tf.Tensor]
"""`(path, output) → output`: is called with the output of every tapped layer, and what it returns is used in its place."""


def evaluate(
    topology: Topology,
    inputs: Any,
    taps: Mapping[str, TensorRef],
    override: Override = NO_OVERRIDE,
    intercept: Intercept | None = None,
    *,
    also: Sequence[TensorRef] = (),
) -> TensorValues:
    """Return the values of the tensors in `taps` and `also`, after running only the steps that they depend on.

    Args:
        inputs: a tensor, a sequence of tensors in the model's order, or a mapping by input name.
        taps: tensors by the path that `intercept` is called with.
        also: further tensors, which `intercept` does not get.

    Raises:
        InvalidParameters: an input that is needed is missing.
    """
    paths = {ref: path for path, ref in taps.items()}
    wanted = {*paths, *also}
    values: TensorValues = [{} for _ in range(topology.scopes)]

    def store(ref: TensorRef, value: Any) -> None:
        if intercept is not None and ref in paths:
            value = intercept(paths[ref], value)
        values[ref[0]][ref[1]] = value

    steps = topology.required_steps(frozenset(wanted))
    _store_inputs(topology, inputs, {*wanted, *(ref for step in steps for ref in step.reads)}, store)
    for step in steps:
        for ref, value in zip(step.writes, _outputs_of(step, values, override), strict=True):
            store(ref, value)
    return values


def _store_inputs(topology: Topology, inputs: Any, wanted: set[TensorRef], store: Callable[[TensorRef, Any], None]) -> None:
    names = topology.input_names
    if not isinstance(inputs, Mapping):
        inputs = dict(zip(names, inputs if isinstance(inputs, (list, tuple)) else [inputs], strict=False))
    for name, tensor in zip(names, topology.inputs, strict=True):
        if (0, id(tensor)) not in wanted:
            continue
        if name not in inputs:
            raise InvalidParameters(
                f"Model '{topology.model_name}' has the inputs {', '.join(names)}; '{name}' is needed here and was not given.",
                allowed=", ".join(names),
                got=", ".join(inputs) or "none",
            )
        store((0, id(tensor)), keras.ops.convert_to_tensor(inputs[name], dtype=tensor.dtype))


def _outputs_of(step: GraphStep, values: TensorValues, override: Override) -> Sequence[Any]:
    if step.kind == "leave":
        return [values[scope][tensor] for scope, tensor in step.reads]
    args, kwargs = step.arguments(values)
    if step.kind == "enter":
        return standardised_inputs(step.model, nested_model_inputs(args, kwargs))
    operation = override.get(step.key) or override.get(step.path) or step.operation
    return keras.tree.flatten(call_for_inference(operation, args, kwargs))
