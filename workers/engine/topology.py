"""A Keras model as a flat list of steps that says which step reads which tensor; nothing is computed here.

Nested models are opened, and every call of a shared layer is a step of its own. `topology_reader` makes a topology from a model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Literal

from schemas.errors import InvalidParameters, UnknownLayer
from schemas.nearest_names import nearest_hint, nearest_names
from workers.engine.keras_internals import call_arguments, producer_of

TensorRef = tuple[int, int]
"""A tensor of the graph: the number of its scope (one call of a model) and the id of its KerasTensor in that model."""
TensorValues = list[MutableMapping[int, Any]]
"""The values of tensors, by scope and then by the id of the KerasTensor."""


def call_key(path: str, call: int) -> str:
    """Return the key of a layer's call: `path` for the first one (0), `path//1` for the second.

    No layer's path ends in this, because Keras allows no slash in a name.
    """
    return f"{path}//{call}" if call else path


@dataclass(frozen=True)
class GraphLayer:
    """One layer (or `keras.ops` operation) of a model.

    `output_shape` includes the batch axis and has None where an axis varies; it is that of the first output. A nested model
    (`is_model`) comes after its inner layers, and its inbound paths are those of the layers that make its outputs. `node` is the node of
    the first call, which has the call's arguments; inputs and nested models have none.
    """

    path: str
    layer: Any  # keras.Layer or keras.Operation
    inbound: tuple[str, ...]
    output_shape: tuple[int | None, ...]
    is_input: bool = False
    is_model: bool = False
    node: Any = None


@dataclass(frozen=True, eq=False)
class GraphStep:
    """One step of running a model.

    `call` calls an operation, `enter` passes the arguments of a nested model to its inputs, and `leave` passes its outputs back.
    `key` is the path of the layer, or for a later call of a shared layer the `call_key` of that call.
    """

    kind: Literal["call", "enter", "leave"]
    key: str
    path: str
    node: Any
    scope: int
    reads: tuple[TensorRef, ...]
    writes: tuple[TensorRef, ...]
    model: Any = None  # the nested model of an `enter` or `leave` step
    replacement: Any = None  # the layer that is called instead of the model's own, or None

    @property
    def operation(self) -> Any:
        return self.node.operation if self.replacement is None else self.replacement

    def arguments(self, values: TensorValues) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the positional and keyword arguments of the call, with values in place of symbolic tensors."""
        return call_arguments(self.node, values[self.scope])


@dataclass(frozen=True, eq=False)
class Topology:
    """The layers and steps of a model, in topological order, and what depends on what.

    `taps` holds the first output tensor of every call by its key; `owners` holds the path of the layer that makes each tensor;
    `inputs` and `outputs` are the model's KerasTensors.
    """

    model_name: str
    layers: tuple[GraphLayer, ...]
    steps: tuple[GraphStep, ...]
    taps: dict[str, TensorRef]
    owners: dict[TensorRef, str]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    scopes: int

    def with_layers(self, replacements: Mapping[str, Any]) -> Topology:
        """Return the same topology with other layers at some paths, for all of their calls."""
        return replace(
            self,
            layers=tuple(replace(layer, layer=replacements.get(layer.path, layer.layer)) for layer in self.layers),
            steps=tuple(
                replace(step, replacement=replacements[step.path]) if step.kind == "call" and step.path in replacements else step
                for step in self.steps
            ),
        )

    def seen_from(self, name: str) -> Topology:
        """Return the same topology in which a shared layer stands for its first call that is computed from the input `name`.

        In a Siamese model, this is the layer's call on that image. A layer of which no call is computed from the input stays as it is.
        """
        source = 0, id(self.inputs[self.input_names.index(name)])
        taps, layers = dict(self.taps), list[GraphLayer]()
        for layer in self.layers:
            calls = [layer.path, *(key for key in self.taps if key.startswith(f"{layer.path}//"))]
            seen = (self.taps[key] for key in calls if self.is_computed_from(source, frozenset([self.taps[key]])))
            taps[layer.path] = next(seen, self.taps[layer.path]) if len(calls) > 1 else self.taps[layer.path]
            layers.append(replace(layer, inbound=self._inbound(taps[layer.path])) if len(calls) > 1 else layer)
        # The call may stand behind other layers than the first one, so the layers are put in the order of these calls.
        layers.sort(key=lambda layer: self._writers.get(taps[layer.path], -1))
        return replace(self, taps=taps, layers=tuple(layers))

    def _inbound(self, tensor: TensorRef) -> tuple[str, ...]:
        """Return the paths of the layers that the call which makes a tensor reads."""
        step = self.writer_of(tensor)
        return () if step is None else tuple(dict.fromkeys(self.owners[ref] for ref in step.reads if ref in self.owners))

    def inputs_of(self, path: str) -> tuple[str, ...]:
        """Return the names of the model's inputs from which any call of a layer is computed, in their order."""
        calls = frozenset(ref for key, ref in self.taps.items() if key == path or key.startswith(f"{path}//"))
        return tuple(
            name for name, tensor in zip(self.input_names, self.inputs, strict=True) if self.is_computed_from((0, id(tensor)), calls)
        )

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        return tuple(producer_of(tensor).name for tensor in self.inputs)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """The name of the layer of each output, with `_1`, `_2`… added where several outputs come from one layer."""
        layer_names = [producer_of(tensor).name for tensor in self.outputs]
        repeats = [layer_names[:index].count(name) for index, name in enumerate(layer_names)]
        return tuple(f"{name}_{repeat}" if repeat else name for name, repeat in zip(layer_names, repeats, strict=True))

    def output_index(self, name: str | None) -> int:
        """Return the position of the output with this name; None means the first output.

        Raises:
            InvalidParameters: the model has no such output.
        """
        if name is None:
            return 0
        if name not in self.output_names:
            allowed = ", ".join(self.output_names)
            raise InvalidParameters(
                f"Model '{self.model_name}' has the outputs {allowed}; there is no '{name}'.",
                pointer="/params/output",
                allowed=allowed,
                got=name,
            )
        return self.output_names.index(name)

    def output_tensor(self, index: int) -> TensorRef:
        return 0, id(self.outputs[index])

    def layer_at(self, path: str) -> GraphLayer:
        """Return the layer with this path.

        Raises:
            UnknownLayer: the model has no such layer; the error names the nearest paths.
        """
        try:
            return self._layers_by_path[path]
        except KeyError:
            nearest = nearest_names(path, self._layers_by_path)
            raise UnknownLayer(
                f"The model has no layer '{path}'.{nearest_hint(nearest)}", pointer="/params/layer", got=path, nearest=nearest
            ) from None

    def tensor_at(self, path: str) -> TensorRef:
        """Return the first output of the first call of a layer; raise `UnknownLayer` if the model has no such layer."""
        return self.taps[self.layer_at(path).path]

    def writer_of(self, tensor: TensorRef) -> GraphStep | None:
        """Return the step that makes a tensor, or None for an input of the model."""
        index = self._writers.get(tensor)
        return None if index is None else self.steps[index]

    def required_steps(self, tensors: frozenset[TensorRef]) -> tuple[GraphStep, ...]:
        """Return the steps that have to run to compute these tensors, in their order, and no others."""
        return self._cached_required_steps(tensors)

    def is_computed_from(self, source: TensorRef, targets: frozenset[TensorRef]) -> bool:
        """Return whether one of the targets is the source or is computed from it."""
        return source in targets or any(source in step.reads for step in self.required_steps(targets))

    @cached_property
    def _layers_by_path(self) -> dict[str, GraphLayer]:
        return {layer.path: layer for layer in self.layers}

    @cached_property
    def _writers(self) -> dict[TensorRef, int]:
        return {tensor: index for index, step in enumerate(self.steps) for tensor in step.writes}

    @cached_property
    def _cached_required_steps(self) -> Callable[[frozenset[TensorRef]], tuple[GraphStep, ...]]:
        return lru_cache(maxsize=512)(self._find_required_steps)

    def _find_required_steps(self, tensors: frozenset[TensorRef]) -> tuple[GraphStep, ...]:
        found: set[int] = set()
        pending = list(tensors)
        while pending:
            index = self._writers.get(pending.pop())
            if index is not None and index not in found:
                found.add(index)
                pending.extend(self.steps[index].reads)
        return tuple(self.steps[index] for index in sorted(found))
