"""Reading the topology of a Keras model: its nested models are opened and its calls are put in order."""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras

from schemas.errors import ModelLoadFailed
from workers.engine.keras_internals import call_arguments, calls_in_order, functional_graph, nested_model_inputs, producer_of
from workers.engine.topology import GraphLayer, GraphStep, TensorRef, Topology, call_key


def read_topology(model: keras.Model) -> Topology:
    """Return the layers and steps of a Functional or Sequential model. The model is not changed.

    Raises:
        ModelLoadFailed: the model has no layer graph, because it is a subclassed model or has no input shape.
    """
    root = functional_graph(model)
    if root is None:
        raise ModelLoadFailed(
            f"Model '{model.name}' ({type(model).__name__}) has no layer graph: only Functional and Sequential models with a known "
            "input shape can be looked into. A subclassed model can be saved as `keras.Model(inputs, model.call(inputs))`."
        )
    reader = _TopologyReader()
    reader.read_inputs(root, 0, "", ())
    reader.read_calls(root, 0, "")
    return Topology(
        model_name=model.name,
        layers=tuple(reader.layers),
        steps=tuple(reader.steps),
        taps=reader.taps,
        owners=reader.owners,
        inputs=tuple(root.inputs),
        outputs=tuple(root.outputs),
        scopes=len(reader.specs),
    )


class _TopologyReader:
    """The part of a topology read so far. A scope is one call of a model; scope 0 is the model itself."""

    def __init__(self) -> None:
        self.layers: list[GraphLayer] = []
        self.steps: list[GraphStep] = []
        self.taps: dict[str, TensorRef] = {}
        self.owners: dict[TensorRef, str] = {}
        # For each scope the symbolic tensors of this call, or None where they have the shapes with which the model was built.
        self.specs: list[dict[int, Any] | None] = [None]
        self.call_counts: Counter[str] = Counter()

    def read_inputs(self, model: Any, scope: int, prefix: str, inbound: tuple[str, ...]) -> None:
        for tensor in model.inputs:
            self.record((scope, id(tensor)), prefix + producer_of(tensor).name, tensor, inbound, is_input=True)

    def read_calls(self, model: Any, scope: int, prefix: str) -> None:
        for node in calls_in_order(model):
            path = prefix + node.operation.name
            inner = functional_graph(node.operation)
            if inner is None:
                self.read_call(node, scope, path)
            else:
                self.read_nested_model(inner, node, scope, path)

    def read_call(self, node: Any, scope: int, path: str) -> None:
        specs = self.specs[scope]
        if specs is not None:
            args, kwargs = call_arguments(node, specs)
            outputs = keras.tree.flatten(node.operation.compute_output_spec(*args, **kwargs))
            specs.update({id(tensor): spec for tensor, spec in zip(node.outputs, outputs, strict=True)})
        reads, writes = _refs(scope, node.input_tensors), _refs(scope, node.outputs)
        key = self.record(writes[0], path, node.outputs[0], self.paths_of(reads), other_outputs=writes[1:], node=node)
        self.steps.append(GraphStep("call", key, path, node, scope, reads, writes))

    def read_nested_model(self, model: Any, node: Any, scope: int, path: str) -> None:
        inner = len(self.specs)
        self.specs.append(self.specs_inside(model, node, scope))
        reads, entered = _refs(scope, node.input_tensors), _refs(inner, model.inputs)
        call = self.call_counts[path]
        self.steps.append(GraphStep("enter", call_key(path, call), path, node, scope, reads, entered, model))
        self.read_inputs(model, inner, f"{path}/", self.paths_of(reads))
        self.read_calls(model, inner, f"{path}/")
        left, writes = _refs(inner, model.outputs), _refs(scope, node.outputs)
        outer = self.specs[scope]
        if outer is not None:
            outer.update({id(tensor): self.spec(inner, source) for tensor, source in zip(node.outputs, model.outputs, strict=True)})
        key = self.record(writes[0], path, node.outputs[0], self.paths_of(left), other_outputs=writes[1:], is_model=True)
        self.steps.append(GraphStep("leave", key, path, node, inner, left, writes, model))

    def specs_inside(self, model: Any, node: Any, scope: int) -> dict[int, Any] | None:
        """Return the symbolic inputs of a nested model as it is called here, or None if they have the shapes of its own."""
        args, kwargs = call_arguments(node, {id(tensor): self.spec(scope, tensor) for tensor in node.input_tensors})
        pairs = list(zip(keras.tree.flatten(nested_model_inputs(args, kwargs)), model.inputs, strict=True))
        if all(spec.shape == own.shape for spec, own in pairs):
            return None
        return {id(own): keras.KerasTensor(spec.shape, own.dtype) for spec, own in pairs}

    def spec(self, scope: int, tensor: Any) -> Any:
        specs = self.specs[scope]
        return tensor if specs is None else specs[id(tensor)]

    def paths_of(self, tensors: tuple[TensorRef, ...]) -> tuple[str, ...]:
        """Return the paths of the layers that make these tensors, each once."""
        return tuple(dict.fromkeys(self.owners[ref] for ref in tensors if ref in self.owners))

    def record(
        self,
        ref: TensorRef,
        path: str,
        tensor: Any,
        inbound: tuple[str, ...],
        other_outputs: tuple[TensorRef, ...] = (),
        **details: Any,
    ) -> str:
        """Record a call of a layer and return its key. The first call makes the layer's entry in the list, with these `details`."""
        key = call_key(path, self.call_counts[path])
        self.call_counts[path] += 1
        self.taps[key] = ref
        self.owners.update(dict.fromkeys((ref, *other_outputs), path))
        if key == path:
            shape = tuple(self.spec(ref[0], tensor).shape)
            self.layers.append(GraphLayer(path, producer_of(tensor), inbound, shape, **details))
        return key


def _refs(scope: int, tensors: Any) -> tuple[TensorRef, ...]:
    return tuple((scope, id(tensor)) for tensor in tensors)
