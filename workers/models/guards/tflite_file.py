"""Check a TFLite file before it is run. Such a file can ask for operators of other libraries, and even for TensorFlow's own."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from schemas.errors import ModelLoadFailed
from workers.models.limits import ModelLimits

IDENTIFIER = b"TFL3"
_OPERATORS_PER_LAYER = 5
# They may run without an end, or call a library.
_REFUSED = ("WHILE", "STABLEHLO_WHILE", "STABLEHLO_CUSTOM_CALL", "DELEGATE")


def checked_tflite(content: bytes, file_name: str, limits: ModelLimits) -> tuple[Any, int]:
    """Return the model (`ModelT`) of a file that keeps to the limits, and the number of its parameters.

    Raises:
        ModelLoadFailed: the file is damaged, keeps values in other files, or has operators that are not allowed.
    """
    from ai_edge_litert.schema_py_generated import ModelT  # noqa: PLC0415 - the extra `tflite` brings it

    if content[4:8] != IDENTIFIER:
        raise ModelLoadFailed(f"'{file_name}' is not a TFLite file.")
    try:
        model: Any = ModelT.InitFromPackedBuf(content, 0)
        operators = _operator_names(model)
        parameters = _count_parameters(model)
    except (struct.error, IndexError, TypeError, ValueError, AttributeError, OverflowError, MemoryError) as error:
        raise ModelLoadFailed(f"'{file_name}' is not a TFLite file, or it is damaged.") from error
    if not np.size(model.subgraphs[0].inputs) or not np.size(model.subgraphs[0].outputs):
        raise ModelLoadFailed(f"'{file_name}' has no inputs or no outputs.")
    if model.externalBuffers:
        raise ModelLoadFailed(f"'{file_name}' keeps values in other files; that is not allowed.")
    for name, custom in operators:
        if custom is not None:
            raise ModelLoadFailed(f"'{file_name}' uses the operator '{custom}' of another library. Such operators are not allowed.")
        if name in _REFUSED:
            raise ModelLoadFailed(
                f"'{file_name}' uses the operator '{name}', which may run without an end or call a library; that is not allowed."
            )
    if len(operators) > limits.max_layers * _OPERATORS_PER_LAYER:
        allowed = str(limits.max_layers * _OPERATORS_PER_LAYER)
        raise ModelLoadFailed(f"'{file_name}' has more than {allowed} operators.", allowed=f"at most {allowed}")
    if parameters > limits.max_parameters:
        raise ModelLoadFailed(
            f"'{file_name}' has {parameters} parameters; at most {limits.max_parameters} are allowed.",
            allowed=str(limits.max_parameters),
            got=str(parameters),
        )
    return model, parameters


def operator_name(model: Any, operator: Any) -> str:
    """Return the name of an operator, such as `SOFTMAX`."""
    return _name_of_code(model.operatorCodes[operator.opcodeIndex])


def _operator_names(model: Any) -> list[tuple[str, str | None]]:
    """Return the name of every operator, and the name of its function if it is not one of TFLite's own."""
    found: list[tuple[str, str | None]] = []
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            code = model.operatorCodes[operator.opcodeIndex]
            name = _name_of_code(code)
            found.append((name, _text(code.customCode) if name == "CUSTOM" else None))
    return found


def _name_of_code(code: Any) -> str:
    from ai_edge_litert.schema_py_generated import BuiltinOperator  # noqa: PLC0415

    number = max(code.builtinCode, code.deprecatedBuiltinCode)  # old files have the number in the older, smaller field
    return next((name for name, value in vars(BuiltinOperator).items() if value == number and name.isupper()), f"number {number}")


def _count_parameters(model: Any) -> int:
    parameters = 0
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            buffer = model.buffers[tensor.buffer]
            has_values = buffer.data is not None or buffer.size
            if has_values and tensor.shape is not None:
                parameters += int(np.prod(tensor.shape, dtype=np.int64))
    return parameters


def _text(name: bytes | None) -> str:
    return (name or b"").decode("utf-8", "backslashreplace")
