"""Load the TFLite files of the models folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed
from workers.engine.forward_only.image_input import image_input
from workers.engine.forward_only.network import ForwardNetwork, NetworkInput, NetworkOutput
from workers.engine.forward_only.tflite_network import TensorDetails, TfliteNetwork, open_interpreter
from workers.models.guards.tflite_file import IDENTIFIER, operator_name, read_tflite
from workers.models.limits import ModelLimits
from workers.models.loaders.base import SourceLoader
from workers.models.loaders.extras import check_extra

_ACTIVATIONS: Mapping[str, Literal["softmax", "sigmoid"]] = {"SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}
_PASS_THROUGH = ("DEQUANTIZE", "QUANTIZE")
_IMAGE_TYPES = ("float32", "uint8", "int8", "int16")


class TfliteLoader(SourceLoader):
    """Loads a model of the source `tflite`: it can be run, and has no layers and no gradients."""

    source = "tflite"

    def load(self, entry: CatalogEntry, limits: ModelLimits) -> ForwardNetwork:
        if entry.file is None:
            raise ModelLoadFailed(f"Model '{entry.name}' has no model file.")
        file = entry.file.name
        check_extra(entry)
        model, content, parameters = read_tflite(entry.file, limits)
        own_outputs = [int(index) for index in model.subgraphs[0].outputs]
        activations = _final_activations(model, own_outputs)
        if activations:
            content = _with_outputs(model, [before for _, before in activations.values()])
        try:
            interpreter = open_interpreter(content)
            inputs = interpreter.get_input_details()
            found = {int(each["index"]): each for each in interpreter.get_output_details()}
        except Exception as error:  # LiteRT raises ValueError and RuntimeError for a file that it cannot run
            raise ModelLoadFailed(f"'{file}' could not be loaded: {' '.join(str(error).split())[:500]}") from error
        named = _TensorNames(model)
        declared = [NetworkInput(named.of(each), _shape(each), np.dtype(each["dtype"])) for each in inputs]
        image = image_input(declared, file, name=entry.input, layout=entry.layout, size=entry.input_size)
        _check_image_type(next(each for each in declared if each.name == image.name), file)
        outputs = [
            NetworkOutput(named.of(found[index]), _shape(found[index])[1:], activations[index][0] if index in activations else None)
            for index in own_outputs
        ]
        tensors = {named.of(each): TensorDetails.of(each) for each in (*inputs, *(found[index] for index in own_outputs))}
        before = {named.of(found[index]): TensorDetails.of(found[tensor]) for index, (_, tensor) in activations.items()}
        return TfliteNetwork(interpreter, image, declared, outputs, tensors=tensors, before=before, parameters=parameters, content=content)


def _final_activations(model: Any, outputs: Iterable[int]) -> dict[int, tuple[Literal["softmax", "sigmoid"], int]]:
    """Return, for each output that ends in a softmax or a sigmoid, which one it is and the index of the tensor before it."""
    writers = {int(tensor): operator for operator in model.subgraphs[0].operators or () for tensor in operator.outputs}
    found: dict[int, tuple[Literal["softmax", "sigmoid"], int]] = {}
    for index in outputs:
        operator = writers.get(index)
        while operator is not None and operator_name(model, operator) in _PASS_THROUGH:
            operator = writers.get(int(operator.inputs[0]))
        if operator is not None and (name := operator_name(model, operator)) in _ACTIVATIONS:
            found[index] = _ACTIVATIONS[name], int(operator.inputs[0])
    return found


def _with_outputs(model: Any, tensors: Iterable[int]) -> bytes:
    """Return the file with tensors as further outputs of the graph, so that an interpreter keeps their values."""
    import flatbuffers  # noqa: PLC0415 - the extra `tflite` brings it

    graph = model.subgraphs[0]
    graph.outputs = np.asarray([*graph.outputs, *(each for each in dict.fromkeys(tensors) if each not in graph.outputs)], np.int32)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class _TensorNames:
    """The names of inputs and outputs: those of the file's first signature, or else the tensors' own names."""

    def __init__(self, model: Any) -> None:
        maps = [each for signature in (model.signatureDefs or ())[:1] for each in (*(signature.inputs or ()), *(signature.outputs or ()))]
        self._by_index = {int(each.tensorIndex): _text(each.name) for each in maps}

    def of(self, details: Mapping[str, Any]) -> str:
        """Return the name of the tensor that an interpreter describes by `details`."""
        return self._by_index.get(int(details["index"])) or str(details["name"])


def _text(name: bytes | str | None) -> str:
    return name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name or ""


def _shape(details: Mapping[str, Any]) -> tuple[int | None, ...]:
    signature = details["shape_signature"] if len(details["shape_signature"]) else details["shape"]
    return tuple(int(size) if size > 0 else None for size in signature)


def _check_image_type(spec: NetworkInput, file: str) -> None:
    if spec.dtype.name not in _IMAGE_TYPES:
        allowed = ", ".join(_IMAGE_TYPES)
        raise ModelLoadFailed(f"'{file}' takes images as {spec.dtype.name}; allowed are {allowed}.", allowed=allowed, got=spec.dtype.name)
