"""Read and try out a TFLite file, in the process that reads such files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from workers.engine.forward_only.runtimes import open_interpreter
from workers.models.guards.tflite_file import IDENTIFIER, checked_tflite, operator_name
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

_ACTIVATIONS: Mapping[str, Activation] = {"SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}
_PASS_THROUGH = ("DEQUANTIZE", "QUANTIZE")


def start_runtime() -> None:
    """Run a model of one operator, because LiteRT reads files about the processor when it runs for the first time."""
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 - the extra `tflite` brings it

    tensors = [schema.TensorT(shape=np.array([1], np.int32), name=name) for name in ("x", "y")]
    relu = schema.BuiltinOperator.RELU
    operator = schema.OperatorT(inputs=np.array([0], np.int32), outputs=np.array([1], np.int32))
    graph = schema.SubGraphT(tensors=tensors, inputs=np.array([0], np.int32), outputs=np.array([1], np.int32), operators=[operator])
    code = schema.OperatorCodeT(builtinCode=relu, deprecatedBuiltinCode=relu)
    interpreter = open_interpreter(
        _packed(schema.ModelT(version=3, subgraphs=[graph], operatorCodes=[code], buffers=[schema.BufferT()])), 1
    )
    interpreter.allocate_tensors()
    interpreter.invoke()


def read_tflite(content: bytes, file_name: str, limits: ModelLimits) -> tuple[bytes, NetworkFile]:
    """Return the content of a checked file, in which the values before final activations are outputs too, and what is known of it.

    Raises:
        ModelLoadFailed: the file is refused.
    """
    model, parameters = checked_tflite(content, file_name, limits)
    outputs = [str(int(index)) for index in model.subgraphs[0].outputs]
    writers = {
        str(int(tensor)): (operator_name(model, operator), str(int(operator.inputs[0])))
        for operator in model.subgraphs[0].operators or ()
        for tensor in operator.outputs
        if operator.inputs is not None and len(operator.inputs)
    }
    found = {index: final_activation(index, writers, _PASS_THROUGH, _ACTIVATIONS) for index in outputs}
    activations = {index: each for index, each in found.items() if each is not None}
    if activations:
        content = _with_outputs(model, [int(before) for _, before in activations.values()])
    return content, NetworkFile(outputs=tuple(outputs), activations=activations, names=_names(model), parameters=parameters)


def try_tflite(content: bytes, file_name: str, limits: ModelLimits) -> None:
    """Open an interpreter for the content and run it once. See `workers.models.reading.onnx_contents.try_onnx`.

    Raises:
        ModelLoadFailed: the file cannot be opened, or takes too much memory.
    """
    try:
        interpreter = open_interpreter(content, 1)
        inputs = interpreter.get_input_details()
    except Exception as error:  # LiteRT raises ValueError and RuntimeError for a file that it cannot run
        if is_out_of_memory(error):
            raise out_of_memory(file_name, limits) from error
        raise could_not_be_loaded(file_name, error) from error
    declared = [(str(each["index"]), [int(size) for size in _signature(each)], each["dtype"]) for each in inputs]
    given = trial_inputs(declared, file_name, limits)
    try:
        for index, values in given.items():
            interpreter.resize_tensor_input(int(index), values.shape)
        interpreter.allocate_tensors()
        for index, values in given.items():
            interpreter.set_tensor(int(index), values)
        interpreter.invoke()
    except Exception as error:  # the worker tries other sizes, and gives the reason if none suits
        if is_out_of_memory(error):
            raise out_of_memory(file_name, limits) from error


def _signature(details: Mapping[str, Any]) -> Any:
    return details["shape_signature"] if len(details["shape_signature"]) else details["shape"]


def _with_outputs(model: Any, tensors: Iterable[int]) -> bytes:
    """Return the file with tensors as further outputs of the graph, so that an interpreter keeps their values."""
    graph = model.subgraphs[0]
    graph.outputs = np.asarray([*graph.outputs, *(each for each in dict.fromkeys(tensors) if each not in graph.outputs)], np.int32)
    return _packed(model)


def _packed(model: Any) -> bytes:
    import flatbuffers  # noqa: PLC0415 - the extra `tflite` brings it

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _names(model: Any) -> dict[str, str]:
    """Return the names that the file's first signature gives to inputs and outputs, by the indices of their tensors."""
    maps = [each for signature in (model.signatureDefs or ())[:1] for each in (*(signature.inputs or ()), *(signature.outputs or ()))]
    return {str(int(each.tensorIndex)): _text(each.name) for each in maps}


def _text(name: bytes | str | None) -> str:
    return name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name or ""
