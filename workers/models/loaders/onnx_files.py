"""Load the ONNX files of the models folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed
from workers.engine.forward_only.image_input import image_input
from workers.engine.forward_only.network import ForwardNetwork, NetworkInput, NetworkOutput
from workers.engine.forward_only.onnx_network import IMAGE_TYPES, NUMPY_TYPES, OnnxNetwork, open_session
from workers.models.guards.onnx_file import read_onnx
from workers.models.limits import ModelLimits
from workers.models.loaders.base import SourceLoader
from workers.models.loaders.extras import check_extra

_ACTIVATIONS: Mapping[str, Literal["softmax", "sigmoid"]] = {"Softmax": "softmax", "Sigmoid": "sigmoid"}
_PASS_THROUGH = ("Identity", "Dropout")


class OnnxLoader(SourceLoader):
    """Loads a model of the source `onnx`: it can be run, and has no layers and no gradients."""

    source = "onnx"

    def load(self, entry: CatalogEntry, limits: ModelLimits) -> ForwardNetwork:
        if entry.file is None:
            raise ModelLoadFailed(f"Model '{entry.name}' has no model file.")
        file = entry.file.name
        check_extra(entry)
        model, parameters = read_onnx(entry.file, limits)
        own_outputs = [output.name for output in model.graph.output]
        activations = _final_activations(model.graph, own_outputs)
        _add_outputs(model.graph, [before for _, before in activations.values()])
        content = model.SerializeToString(deterministic=True)
        try:
            session = open_session(content)
        except Exception as error:  # onnxruntime has no error class of its own for a file that it cannot run
            raise ModelLoadFailed(f"'{file}' could not be loaded: {_cause(error)}") from error
        inputs = [_input(each, file) for each in session.get_inputs()]
        image = image_input(inputs, file, name=entry.input, layout=entry.layout, size=entry.input_size)
        _check_image_type(session, image.name, file)
        shapes = {output.name: _shape(output.shape) for output in session.get_outputs()}
        outputs = [
            NetworkOutput(name, shapes[name][1:], activations[name][0] if name in activations else None)
            for name in own_outputs
            if name in shapes
        ]
        before = {name: tensor for name, (_, tensor) in activations.items()}
        return OnnxNetwork(session, image, inputs, outputs, before=before, parameters=parameters, content=content)


def _final_activations(graph: Any, outputs: Iterable[str]) -> dict[str, tuple[Literal["softmax", "sigmoid"], str]]:
    """Return, for each output that ends in a softmax or a sigmoid, which one it is and the name of the tensor before it."""
    writers = {tensor: node for node in graph.node for tensor in node.output}
    found: dict[str, tuple[Literal["softmax", "sigmoid"], str]] = {}
    for name in outputs:
        node = writers.get(name)
        while node is not None and node.op_type in _PASS_THROUGH:
            node = writers.get(node.input[0])
        if node is not None and node.domain in ("", "ai.onnx") and node.op_type in _ACTIVATIONS:
            found[name] = _ACTIVATIONS[node.op_type], node.input[0]
    return found


def _add_outputs(graph: Any, tensors: Iterable[str]) -> None:
    """Make tensors outputs of the graph, so that a session can return them."""
    known = {output.name for output in graph.output}
    for name in dict.fromkeys(tensors):
        if name not in known:
            graph.output.add().name = name


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
