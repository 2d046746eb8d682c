"""Read and try out an ONNX file, in the process that reads such files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workers.engine.forward_only.runtimes import open_session
from workers.models.guards.onnx_file import checked_onnx
from workers.models.limits import ModelLimits
from workers.models.reading.network_file import (
    Activation,
    NetworkFile,
    could_not_be_loaded,
    final_activation,
    is_out_of_memory,
    out_of_memory,
    trial_inputs,
)

_ACTIVATIONS: Mapping[str, Activation] = {"Softmax": "softmax", "Sigmoid": "sigmoid"}
_PASS_THROUGH = ("Identity", "Dropout")
_OWN_DOMAINS = ("", "ai.onnx")
_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


def read_onnx(content: bytes, file_name: str, limits: ModelLimits) -> tuple[bytes, NetworkFile]:
    """Return the content of a checked file, in which the values before final activations are outputs too, and what is known of it.

    Raises:
        ModelLoadFailed: the file is refused.
    """
    model, parameters = checked_onnx(content, file_name, limits)
    outputs = [output.name for output in model.graph.output]
    writers = {
        tensor: (node.op_type if node.domain in _OWN_DOMAINS else "", node.input[0])
        for node in model.graph.node
        if node.input
        for tensor in node.output
    }
    found = {name: final_activation(name, writers, _PASS_THROUGH, _ACTIVATIONS) for name in outputs}
    activations = {name: each for name, each in found.items() if each is not None}
    _add_outputs(model.graph, [before for _, before in activations.values()])
    whole = model.SerializeToString(deterministic=True)
    return whole, NetworkFile(outputs=tuple(outputs), activations=activations, parameters=parameters)


def try_onnx(content: bytes, file_name: str, limits: ModelLimits) -> None:
    """Open a session for the content and run it once.

    That the run fails for another reason than memory is no refusal: the sizes may not suit the file, and the worker tries others.

    Raises:
        ModelLoadFailed: the file cannot be opened, or takes too much memory.
    """
    try:
        session = open_session(content, 1)
    except Exception as error:  # onnxruntime has no error class of its own for a file that it cannot run
        if is_out_of_memory(error):
            raise out_of_memory(file_name, limits) from error
        raise could_not_be_loaded(file_name, error) from error
    declared = [(each.name, each.shape, _TYPES[each.type]) for each in session.get_inputs() if each.type in _TYPES]
    given = trial_inputs(declared, file_name, limits)
    if len(declared) < len(session.get_inputs()):
        return  # the worker refuses the type in words
    try:
        session.run(None, given)
    except Exception as error:  # see above
        if is_out_of_memory(error):
            raise out_of_memory(file_name, limits) from error


def _add_outputs(graph: Any, tensors: Iterable[str]) -> None:
    """Make tensors outputs of the graph, so that a session can return them."""
    known = {output.name for output in graph.output}
    for name in dict.fromkeys(tensors):
        if name not in known:
            graph.output.add().name = name
