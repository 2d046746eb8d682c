"""A Keras model as a flat list of steps: nested models opened, every call of a shared layer a step of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import keras

from schemas.errors import ModelLoadFailed
from workers.engine.keras_internals import call_arguments, calls_in_order, functional_graph, producer_of

Ref = tuple[int, int]
"""A tensor: the scope (one call of a model) and the id of its KerasTensor there."""
Values = list[MutableMapping[int, Any]]
"""Tensors by scope, then by id of the KerasTensor."""


@dataclass(frozen=True)
class GraphLayer:
    """One layer (or `keras.ops` operation) of a model.

    `output_shape` has the batch axis, and None where an axis varies; of a layer with several outputs it is the first's.
    A nested model (`is_model`) stands after its inner layers, and its inbound paths are those of its own outputs.
    """

    path: str
    layer: Any  # keras.Layer or keras.Operation
    inbound: tuple[str, ...]
    output_shape: tuple[int | None, ...]
    is_input: bool = False
    is_model: bool = False


@dataclass(frozen=True, eq=False)
class Step:
    """`call` calls the operation; `enter` hands a nested model's arguments to its inputs, `leave` its outputs back.

    `key` is the layer's path, with `@1`, `@2`… for the later calls of a shared layer.
    """

    kind: Literal["call", "enter", "leave"]
    key: str
    path: str
    node: Any
    scope: int
    reads: tuple[Ref, ...]
    writes: tuple[Ref, ...]
    model: Any = None  # enter, leave: the nested model
    stand_in: Any = None  # for the operation; None: itself

    @property
    def operation(self) -> Any:
        return self.node.operation if self.stand_in is None else self.stand_in

    def arguments(self, values: Values) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return call_arguments(self.node, values[self.scope])


@dataclass(frozen=True)
class Unfolded:
    """`owners` has the path of the layer that each tensor comes from, `taps` the (first) tensor of each layer's key."""

    layers: tuple[GraphLayer, ...]
    steps: tuple[Step, ...]
    taps: dict[str, Ref]
    owners: dict[Ref, str]
    inputs: tuple[Any, ...]  # KerasTensors of scope 0
    outputs: tuple[Ref, ...]
    scopes: int

    def with_layers(self, stand_ins: Mapping[str, Any]) -> Unfolded:
        """The same with other layers at some paths, for all of their calls."""
        return replace(
            self,
            layers=tuple(replace(layer, layer=stand_ins.get(layer.path, layer.layer)) for layer in self.layers),
            steps=tuple(
                replace(step, stand_in=stand_ins[step.path]) if step.kind == "call" and step.path in stand_ins else step
                for step in self.steps
            ),
        )


def nested_inputs(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a nested model was called with, beside `training` and `mask`."""
    return args[0] if args else kwargs["inputs"]


def unfold(model: keras.Model) -> Unfolded:
    """Opens `model`.

    Raises:
        ModelLoadFailed: a subclassed model, or one without an input shape: it has no graph.
    """
    root = functional_graph(model)
    if root is None:
        raise ModelLoadFailed(
            f"Model '{model.name}' ({type(model).__name__}) has no layer graph: only Functional and Sequential models with a known "
            "input shape can be looked into. What a subclassed one amounts to is `keras.Model(inputs, model.call(inputs))`."
        )
    unfolder = _Unfolder()
    unfolder.inputs(root, 0, "", ())
    unfolder.body(root, 0, "")
    return Unfolded(
        layers=tuple(unfolder.layers),
        steps=tuple(unfolder.steps),
        taps=unfolder.taps,
        owners=unfolder.owners,
        inputs=tuple(root.inputs),
        outputs=tuple((0, id(tensor)) for tensor in root.outputs),
        scopes=len(unfolder.specs),
    )


class _Unfolder:
    def __init__(self) -> None:
        self.layers: list[GraphLayer] = []
        self.steps: list[Step] = []
        self.taps: dict[str, Ref] = {}
        self.owners: dict[Ref, str] = {}
        # Of each scope, the tensors as they are when the model is called there, where that differs from how it was built.
        self.specs: list[dict[int, Any] | None] = [None]
        self.calls: Counter[str] = Counter()

    def inputs(self, model: Any, scope: int, prefix: str, inbound: tuple[str, ...]) -> None:
        for tensor in model.inputs:
            self.add((scope, id(tensor)), prefix + producer_of(tensor).name, tensor, inbound, is_input=True)

    def body(self, model: Any, scope: int, prefix: str) -> None:
        for node in calls_in_order(model):
            path = prefix + node.operation.name
            inner = functional_graph(node.operation)
            if inner is None:
                self.call(node, scope, path)
            else:
                self.nested(inner, node, scope, path)

    def call(self, node: Any, scope: int, path: str) -> None:
        specs = self.specs[scope]
        if specs is not None:
            args, kwargs = call_arguments(node, specs)
            outputs = keras.tree.flatten(node.operation.compute_output_spec(*args, **kwargs))
            specs.update({id(tensor): spec for tensor, spec in zip(node.outputs, outputs, strict=True)})
        reads, writes = _refs(scope, node.input_tensors), _refs(scope, node.outputs)
        key = self.add(writes[0], path, node.outputs[0], self.sources(reads), also=writes[1:])
        self.steps.append(Step("call", key, path, node, scope, reads, writes))

    def nested(self, model: Any, node: Any, scope: int, path: str) -> None:
        inner = len(self.specs)
        self.specs.append(self.specs_inside(model, node, scope))
        reads, entered = _refs(scope, node.input_tensors), _refs(inner, model.inputs)
        call = self.calls[path]
        self.steps.append(Step("enter", _key(path, call), path, node, scope, reads, entered, model))
        self.inputs(model, inner, f"{path}/", self.sources(reads))
        self.body(model, inner, f"{path}/")
        left, writes = _refs(inner, model.outputs), _refs(scope, node.outputs)
        outer = self.specs[scope]
        if outer is not None:
            outer.update({id(tensor): self.spec(inner, source) for tensor, source in zip(node.outputs, model.outputs, strict=True)})
        key = self.add(writes[0], path, node.outputs[0], self.sources(left), also=writes[1:], is_model=True)
        self.steps.append(Step("leave", key, path, node, inner, left, writes, model))

    def specs_inside(self, model: Any, node: Any, scope: int) -> dict[int, Any] | None:
        args, kwargs = call_arguments(node, {id(tensor): self.spec(scope, tensor) for tensor in node.input_tensors})
        pairs = list(zip(keras.tree.flatten(nested_inputs(args, kwargs)), model.inputs, strict=True))
        if all(spec.shape == own.shape for spec, own in pairs):
            return None
        return {id(own): keras.KerasTensor(spec.shape, own.dtype) for spec, own in pairs}

    def spec(self, scope: int, tensor: Any) -> Any:
        specs = self.specs[scope]
        return tensor if specs is None else specs[id(tensor)]

    def sources(self, reads: tuple[Ref, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.owners[ref] for ref in reads if ref in self.owners))

    def add(self, ref: Ref, path: str, tensor: Any, inbound: tuple[str, ...], also: tuple[Ref, ...] = (), **is_kind: bool) -> str:
        """Records a layer's call; the first call is the layer's entry in the list."""
        key = _key(path, self.calls[path])
        self.calls[path] += 1
        self.taps[key] = ref
        self.owners.update(dict.fromkeys((ref, *also), path))
        if key == path:
            shape = tuple(self.spec(ref[0], tensor).shape)
            self.layers.append(GraphLayer(path, producer_of(tensor), inbound, shape, **is_kind))
        return key


def _key(path: str, call: int) -> str:
    return f"{path}@{call}" if call else path


def _refs(scope: int, tensors: Any) -> tuple[Ref, ...]:
    return tuple((scope, id(tensor)) for tensor in tensors)
