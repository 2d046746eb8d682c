"""Load the TFLite files of the models folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed
from workers.engine.forward_only.image_input import image_input
from workers.engine.forward_only.network import ForwardNetwork, NetworkInput, NetworkOutput
from workers.engine.forward_only.runtimes import open_interpreter
from workers.engine.forward_only.tflite_network import TensorDetails, TfliteNetwork
from workers.engine.forward_only.threads import threads
from workers.models.limits import ModelLimits
from workers.models.loaders.base import SourceLoader
from workers.models.loaders.extras import check_extra
from workers.models.reading.network_file import NetworkFile
from workers.models.reading.read_network import read_network_file

_IMAGE_TYPES = ("float32", "uint8", "int8", "int16")


class TfliteLoader(SourceLoader):
    """Loads a model of the source `tflite`: it can be run, and has no layers and no gradients."""

    source = "tflite"

    def load(self, entry: CatalogEntry, limits: ModelLimits) -> ForwardNetwork:
        if entry.file is None:
            raise ModelLoadFailed(f"Model '{entry.name}' has no model file.")
        file = entry.file.name
        check_extra(entry)
        content, known = read_network_file(entry.file, "tflite", limits)
        try:
            interpreter = open_interpreter(content, threads())
            inputs = interpreter.get_input_details()
            found = {int(each["index"]): each for each in interpreter.get_output_details()}
        except Exception as error:  # LiteRT raises ValueError and RuntimeError for a file that it cannot run
            raise ModelLoadFailed(f"'{file}' could not be loaded: {' '.join(str(error).split())[:500]}") from error
        declared = [NetworkInput(_name(each, known), _shape(each), np.dtype(each["dtype"])) for each in inputs]
        image = image_input(declared, file, name=entry.input, layout=entry.layout, size=entry.input_size)
        _check_image_type(next(each for each in declared if each.name == image.name), file)
        own = [found[int(index)] for index in known.outputs]
        activations = {int(index): each for index, each in known.activations.items()}
        outputs = [_output(each, known) for each in own]
        tensors = {_name(each, known): TensorDetails.of(each) for each in (*inputs, *own)}
        before = {_name(found[index], known): TensorDetails.of(found[int(tensor)]) for index, (_, tensor) in activations.items()}
        return TfliteNetwork(
            interpreter, image, declared, outputs, tensors=tensors, before=before, parameters=known.parameters, content=content
        )


def _output(details: Mapping[str, Any], known: NetworkFile) -> NetworkOutput:
    activation = known.activations.get(str(int(details["index"])))
    return NetworkOutput(_name(details, known), _shape(details)[1:], None if activation is None else activation[0])


def _name(details: Mapping[str, Any], known: NetworkFile) -> str:
    """Return the name of the tensor that an interpreter describes by `details`: that of the file's signature, or else its own."""
    return known.names.get(str(int(details["index"]))) or str(details["name"])


def _shape(details: Mapping[str, Any]) -> tuple[int | None, ...]:
    signature = details["shape_signature"] if len(details["shape_signature"]) else details["shape"]
    return tuple(int(size) if size > 0 else None for size in signature)


def _check_image_type(spec: NetworkInput, file: str) -> None:
    if spec.dtype.name not in _IMAGE_TYPES:
        allowed = ", ".join(_IMAGE_TYPES)
        raise ModelLoadFailed(f"'{file}' takes images as {spec.dtype.name}; allowed are {allowed}.", allowed=allowed, got=spec.dtype.name)
