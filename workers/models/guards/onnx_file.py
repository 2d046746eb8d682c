"""Check an ONNX file before it is run. Such a file can point into other files, and ask for operators of other libraries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from schemas.errors import ModelLoadFailed
from workers.models.limits import ModelLimits

DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")  # onnxruntime itself has the operators of these
ENDLESS = ("Loop", "Scan")  # they may run without an end
NODES_PER_LAYER = 5  # a layer becomes several nodes, for example those that compute the shape of a reshape


def checked_onnx(content: bytes, file_name: str, limits: ModelLimits) -> tuple[Any, int]:
    """Return the model (`onnx.ModelProto`) of a file that keeps to the limits, and the number of its parameters.

    Raises:
        ModelLoadFailed: the file is damaged, keeps values in other files, or has operators that are not allowed.
    """
    import onnx  # noqa: PLC0415 - the extra `onnx` brings it
    from google.protobuf.message import DecodeError  # noqa: PLC0415

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, ValueError) as error:
        raise ModelLoadFailed(f"'{file_name}' is not an ONNX file, or it is damaged.") from error
    if not model.graph.input or not model.graph.output:
        raise ModelLoadFailed(f"'{file_name}' is not an ONNX file, or it has no inputs or no outputs.")
    own_functions = {(function.domain, function.name) for function in model.functions}
    most = limits.max_layers * NODES_PER_LAYER
    for number, node in enumerate(_nodes(model), 1):
        _check_node(node, own_functions, file_name)
        if number > most:
            raise ModelLoadFailed(f"'{file_name}' has more than {most} nodes.", allowed=f"at most {most}")
    parameters = 0
    for tensor in _tensors(model):
        if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise ModelLoadFailed(
                f"'{file_name}': the tensor '{tensor.name}' keeps its values in another file; that is not allowed. Save the model in one "
                "file: `onnx.save(onnx.load('model.onnx'), 'whole.onnx')`."
            )
        parameters += math.prod(tensor.dims)
    if parameters > limits.max_parameters:
        raise ModelLoadFailed(
            f"'{file_name}' has {parameters} parameters; at most {limits.max_parameters} are allowed.",
            allowed=str(limits.max_parameters),
            got=str(parameters),
        )
    return model, parameters


def _check_node(node: Any, own_functions: set[tuple[str, str]], file_name: str) -> None:
    if (node.domain, node.op_type) in own_functions:
        return
    if node.domain not in DOMAINS:
        raise ModelLoadFailed(
            f"'{file_name}' uses the operator '{node.op_type}' of the domain '{node.domain}'. Operators of other libraries are not allowed."
        )
    if node.op_type in ENDLESS:
        raise ModelLoadFailed(f"'{file_name}' uses the operator '{node.op_type}', which may run without an end; that is not allowed.")


def _graphs(model: Any) -> Iterator[Any]:
    """Yield the graph, the functions of the file, and the graphs in their attributes. Each has nodes."""
    pending: list[Any] = [model.graph, *model.functions]
    while pending:
        graph = pending.pop()
        yield graph
        for attribute in _attributes(graph):
            pending += [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]


def _attributes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield from node.attribute


def _nodes(model: Any) -> Iterator[Any]:
    for graph in _graphs(model):
        yield from graph.node


def _tensors(model: Any) -> Iterator[Any]:
    """Yield every tensor that the file holds: initial values, constants and attributes."""
    for graph in _graphs(model):
        yield from getattr(graph, "initializer", ())
        yield from _parts_of_sparse(getattr(graph, "sparse_initializer", ()))
        for attribute in _attributes(graph):
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            yield from _parts_of_sparse(
                [*([attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []), *attribute.sparse_tensors]
            )


def _parts_of_sparse(tensors: Iterable[Any]) -> Iterator[Any]:
    for tensor in tensors:
        yield tensor.values
        yield tensor.indices
