"""Find out which input of a product is the signal, and which inputs are gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from workers.engine.heads import activation_kind
from workers.engine.keras_internals import Relu6, source_package
from workers.engine.topology import GraphStep, TensorRef, Topology

# A gate may be given another shape, and be scaled by a constant, between its activation and the product.
_BETWEEN = frozenset(
    [
        "Reshape",
        "Flatten",
        "Permute",
        "RepeatVector",
        "ExpandDims",
        "Squeeze",
        "Transpose",
        "Identity",
        "Dropout",
        "Cast",
        "Multiply",
        "Add",
    ]
)
_SURE, _BY_SHAPE, _BOUNDED, _NO = 3, 2, 1, 0


def signal_of(topology: Topology, step: GraphStep, tensors: Sequence[Any]) -> TensorRef | None:
    """Return the input of a product that is the signal, or None if it is not clear which inputs are gates.

    A gate ends in a sigmoid or a softmax, or it has one position where the signal has many, or at least it is bounded (such as a ReLU6).
    In squeeze-and-excitation (Hu et al., arXiv:1709.01507) the gate is all of this.

    Args:
        topology: the model.
        step: the call of the product.
        tensors: the KerasTensors of its inputs, at least two.
    """
    refs, sizes = [(step.scope, id(tensor)) for tensor in tensors], [_positions(tensor) for tensor in tensors]
    strengths = [max(_strength(topology, ref), _BY_SHAPE if size < max(sizes) else _NO) for ref, size in zip(refs, sizes, strict=True)]
    least = min(strengths)
    return refs[strengths.index(least)] if strengths.count(least) == 1 else None


def _positions(tensor: Any) -> float:
    """Return the number of positions of a tensor (N, …, K), where an unknown size counts as a large one."""
    total = 1.0
    for size in tensor.shape[1:-1]:
        total *= 1e6 if size is None else size
    return total


def _strength(topology: Topology, ref: TensorRef) -> int:
    while (step := topology.writer_of(ref)) is not None:
        if step.kind == "leave":
            ref = step.reads[step.writes.index(ref)]
            continue
        if step.kind == "enter":
            return _NO
        operation = step.operation
        if activation_kind(step, any_axis=True) or _is_hard_sigmoid(operation):
            return _SURE
        if isinstance(operation, Relu6) or (isinstance(operation, keras.layers.ReLU) and operation.max_value is not None):
            return _BOUNDED
        name = type(operation).__name__
        if not source_package(type(operation)) or name not in _BETWEEN or len(step.reads) != 1:
            return _NO
        ref = step.reads[0]
    return _NO


def _is_hard_sigmoid(operation: Any) -> bool:
    activation = getattr(operation, "activation", None)
    return type(operation).__name__ == "HardSigmoid" or activation in (keras.activations.hard_sigmoid, keras.ops.hard_sigmoid)
