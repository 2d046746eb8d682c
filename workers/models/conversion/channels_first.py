"""A `channels_first` model as the `channels_last` one that computes the same.

TensorFlow promises its convolutions on a processor for channels_last alone, and maps (h, w, K) are what every method looks at.
Weights have one form for both: what is turned is what flows between the layers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import keras

from schemas.errors import ModelLoadFailed
from schemas.models import LayerKind
from workers.engine.keras_internals import Functional, call_arguments, calls_in_order, functional_graph, producer_of
from workers.engine.unfold import nested_inputs
from workers.models.description.layer_kinds import kind_of

_MAP_RANK = 4
_FIRST, _LAST = "channels_first", "channels_last"
# Where an axis of (N, C, H, W) is in (N, H, W, C).
_AXIS = (0, 3, 1, 2)
_BY_AXIS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.UnitNormalization,
    keras.layers.Concatenate,
    keras.layers.Softmax,
)
_ACTIVATIONS = (keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.ELU)
_OVER_AN_AXIS = frozenset({"softmax", "log_softmax", "glu", "sparsemax", "Softmax", "LogSoftmax", "Glu", "Sparsemax"})
_MERGES = frozenset({"Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract", "Divide", "TrueDivide"})


@dataclass(frozen=True)
class _Value:
    """A tensor of the new model; `turned`: (N, H, W, C), where the old one has (N, C, H, W)."""

    tensor: Any
    turned: bool = False


def to_channels_last(model: Any) -> Any:
    """`model` itself where none of its layers is channels_first; else a model of the same layers, with channels_last maps.

    Layers keep their names. A photo's input (N, 1 or 3, H, W) becomes (N, H, W, 1 or 3). Where a layer's own meaning hangs on the
    order of the axes (Reshape, a channels_last Flatten), it gets the map as it was, by a Permute layer before it.

    Raises:
        ModelLoadFailed: a layer that ends in a softmax over the map's width.
    """
    root = functional_graph(model)
    if root is None or not _has_channels_first(root):
        return model
    turned = tuple(len(tensor.shape) == _MAP_RANK and tensor.shape[1] in (1, 3) for tensor in root.inputs)
    return _Converter().model(root, turned)[0]


class _Converter:
    def __init__(self) -> None:
        self.models: dict[tuple[int, tuple[bool, ...]], tuple[Any, tuple[bool, ...]]] = {}
        self.layers: dict[int, Any] = {}
        self.permuted: Counter[str] = Counter()

    def model(self, model: Any, turned: tuple[bool, ...]) -> tuple[Any, tuple[bool, ...]]:
        """The new model, called with inputs of which some are turned, and which of its outputs are."""
        key = id(model), turned
        if key not in self.models:
            values = {id(old): _input(old, turn) for old, turn in zip(model.inputs, turned, strict=True)}
            inputs = [values[id(old)].tensor for old in model.inputs]
            for node in calls_in_order(model):
                values.update(zip(map(id, node.outputs), self.call(node, values), strict=True))
            outputs = [values[id(old)] for old in model.outputs]
            new = Functional(_alone(inputs), _alone([value.tensor for value in outputs]), name=model.name)
            self.models[key] = new, tuple(value.turned for value in outputs)
        return self.models[key]

    def call(self, node: Any, values: dict[int, _Value]) -> list[_Value]:
        operation = node.operation
        given = [values[id(tensor)] for tensor in node.input_tensors]
        inner = functional_graph(operation)
        if inner is not None:
            args, kwargs = call_arguments(node, {id(tensor): tensor for tensor in node.input_tensors})
            given = [values[id(tensor)] for tensor in keras.tree.flatten(nested_inputs(args, kwargs))]
            new, turned = self.model(inner, tuple(value.turned for value in given))
            outputs = keras.tree.flatten(new(_alone([value.tensor for value in given])))
            return [_Value(output, turn) for output, turn in zip(outputs, turned, strict=True)]
        turn = _is_channels_first(node) or (any(value.turned for value in given) and _can_be_turned(node))
        called = self.turned(operation) if turn else operation
        wanted = {id(old): self.permute(value, operation.name, turn) for old, value in zip(node.input_tensors, given, strict=True)}
        args, kwargs = call_arguments(node, wanted)
        outputs = keras.tree.flatten(called(*args, **kwargs))
        if called is not operation:
            called.set_weights(operation.get_weights())
        return [_Value(output, turn and len(output.shape) == _MAP_RANK) for output in outputs]

    def permute(self, value: _Value, reader: str, turned: bool) -> Any:
        """The value's tensor, turned or as it was, for the layer `reader`."""
        if value.turned == turned or len(value.tensor.shape) != _MAP_RANK:
            return value.tensor
        name = f"{reader}_{_LAST if turned else _FIRST}"
        self.permuted[name] += 1
        number = self.permuted[name]
        layer = keras.layers.Permute((2, 3, 1) if turned else (3, 1, 2), name=name if number == 1 else f"{name}_{number}")
        return layer(value.tensor)

    def turned(self, operation: Any) -> Any:
        """The layer that does for channels_last maps what `operation` does for channels_first ones."""
        config = operation.get_config() if isinstance(operation, keras.Layer) else {}
        changes: dict[str, Any] = {}
        if config.get("data_format") == _FIRST:
            changes["data_format"] = _LAST
        if isinstance(operation, _BY_AXIS) and (axis := _axis(operation)) is not None:
            changes["axis"] = _AXIS[axis]
        if not changes:
            return operation
        if id(operation) not in self.layers:
            self.layers[id(operation)] = type(operation).from_config({**config, **changes})
        return self.layers[id(operation)]


def _alone(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


def _input(old: Any, turn: bool) -> _Value:
    shape = tuple(old.shape)
    if turn:
        shape = (shape[0], *shape[2:], shape[1])
    return _Value(keras.Input(batch_shape=shape, dtype=old.dtype, name=producer_of(old).name), turn)


def _has_channels_first(model: Any) -> bool:
    for node in calls_in_order(model):
        inner = functional_graph(node.operation)
        if _is_channels_first(node) if inner is None else _has_channels_first(inner):
            return True
    return False


def _is_channels_first(node: Any) -> bool:
    layer = node.operation
    found = getattr(layer, "data_format", None) == _FIRST and len(node.input_tensors[0].shape) == _MAP_RANK
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    if found and name in _OVER_AN_AXIS:
        raise ModelLoadFailed(
            f"Layer '{layer.name}' is channels_first with a {name}, which goes over the width of the map. Save the model as channels_last."
        )
    return found


def _can_be_turned(node: Any) -> bool:
    """Whether the layer means the same on turned maps, its axis counted anew: all it reads are maps, and it looks at each value
    alone or along one axis."""
    layer = node.operation
    if any(len(tensor.shape) != _MAP_RANK for tensor in node.input_tensors) or not _has_plain_arguments(node):
        return False
    if isinstance(layer, _BY_AXIS):
        return _axis(layer) is not None
    name = type(layer).__name__
    if isinstance(layer, keras.Layer):
        activation = getattr(layer, "activation", None)
        elementwise = isinstance(layer, _ACTIVATIONS) and getattr(activation, "__name__", name) not in _OVER_AN_AXIS
        dropped = kind_of(layer) is LayerKind.REGULARIZATION and not hasattr(layer, "data_format")
        return elementwise or dropped or name in _MERGES or isinstance(layer, keras.layers.Identity)
    return name in _MERGES or (kind_of(layer) is LayerKind.ACTIVATION and name not in _OVER_AN_AXIS)


def _axis(layer: Any) -> int | None:
    """The one axis that the layer goes along, counted from 0."""
    axis = layer.axis
    if isinstance(axis, (list, tuple)):
        if len(axis) != 1:
            return None
        (axis,) = axis
    return int(axis) % _MAP_RANK


def _has_plain_arguments(node: Any) -> bool:
    """Beside tensors numbers alone, which have no axes."""
    leaves = keras.tree.flatten((node.arguments.args, node.arguments.kwargs))
    return all(isinstance(leaf, (keras.KerasTensor, int, float, bool, str, type(None))) for leaf in leaves)
