"""Load the ONNX files of the models folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed
from workers.engine.forward_only.image_input import image_input
from workers.engine.forward_only.network import ForwardNetwork, NetworkInput, NetworkOutput
from workers.engine.forward_only.onnx_network import IMAGE_TYPES, NUMPY_TYPES, OnnxNetwork
from workers.engine.forward_only.runtimes import open_session
from workers.engine.forward_only.threads import threads
from workers.models.limits import ModelLimits
from workers.models.loaders.base import SourceLoader
from workers.models.loaders.extras import check_extra
from workers.models.reading.read_network import read_network_file


class OnnxLoader(SourceLoader):
    """Loads a model of the source `onnx`: it can be run, and has no layers and no gradients."""

    source = "onnx"

    def load(self, entry: CatalogEntry, limits: ModelLimits) -> ForwardNetwork:
        if entry.file is None:
            raise ModelLoadFailed(f"Model '{entry.name}' has no model file.")
        file = entry.file.name
        check_extra(entry)
        content, known = read_network_file(entry.file, "onnx", limits)
        try:
            session = open_session(content, threads(), limits.load_memory_bytes)
        except Exception as error:  # onnxruntime has no error class of its own for a file that it cannot run
            raise ModelLoadFailed(f"'{file}' could not be loaded: {_cause(error)}") from error
        inputs = [_input(each, file) for each in session.get_inputs()]
        image = image_input(inputs, file, name=entry.input, layout=entry.layout, size=entry.input_size)
        _check_image_type(session, image.name, file)
        shapes = {output.name: _shape(output.shape) for output in session.get_outputs()}
        outputs = [
            NetworkOutput(name, shapes[name][1:], known.activations[name][0] if name in known.activations else None)
            for name in known.outputs
            if name in shapes
        ]
        before = {name: tensor for name, (_, tensor) in known.activations.items()}
        return OnnxNetwork(session, image, inputs, outputs, before=before, parameters=known.parameters, content=content)


def _input(declared: Any, file: str) -> NetworkInput:
    if declared.type not in NUMPY_TYPES:
        raise ModelLoadFailed(f"'{file}' takes an input '{declared.name}' of the type {declared.type}, which is not an array of numbers.")
    return NetworkInput(declared.name, _shape(declared.shape), NUMPY_TYPES[declared.type])


def _check_image_type(session: Any, name: str, file: str) -> None:
    (got,) = [each.type for each in session.get_inputs() if each.name == name]
    if got not in IMAGE_TYPES:
        raise ModelLoadFailed(
            f"'{file}' takes images as {got}; allowed are {', '.join(IMAGE_TYPES)}.", allowed=", ".join(IMAGE_TYPES), got=got
        )


def _shape(declared: Iterable[Any]) -> tuple[int | None, ...]:
    """Return a shape; onnxruntime gives a name, or nothing, for a size that is free."""
    return tuple(size if isinstance(size, int) and size > 0 else None for size in declared)


def _cause(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
