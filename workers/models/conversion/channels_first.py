"""Convert a `channels_first` model into a `channels_last` model that computes the same.

TensorFlow guarantees convolutions on a CPU for channels_last only, and every method reads maps in the order (h, w, K). The weights have
the same form in both orders. Only the tensors between the layers are transposed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import keras

from schemas.errors import ModelLoadFailed
from schemas.models import LayerKind
from workers.engine.keras_internals import Functional, call_arguments, calls_in_order, functional_graph, nested_model_inputs, producer_of
from workers.engine.layer_kinds import kind_of

_MAP_RANK = 4
_FIRST, _LAST = "channels_first", "channels_last"
# The axis of (N, H, W, C) for each axis of (N, C, H, W).
_NEW_AXIS = (0, 3, 1, 2)
_LAYERS_WITH_AXIS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.UnitNormalization,
    keras.layers.Concatenate,
    keras.layers.Softmax,
)
_ACTIVATIONS = (keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.ELU)
_ALONG_AN_AXIS = frozenset({"softmax", "log_softmax", "glu", "sparsemax", "Softmax", "LogSoftmax", "Glu", "Sparsemax"})
_MERGES = frozenset({"Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract", "Divide", "TrueDivide"})


@dataclass(frozen=True)
class _NewTensor:
    """A tensor of the new model. If `transposed`, it is (N, H, W, C) and the old model's tensor is (N, C, H, W)."""

    tensor: Any
    transposed: bool = False


def to_channels_last(model: Any) -> Any:
    """Return a model of the same layers with channels_last maps, or `model` itself if none of its layers is channels_first.

    Layers keep their names. An image input (N, 1 or 3, H, W) becomes (N, H, W, 1 or 3). If a layer depends on the order of the axes
    (Reshape, a channels_last Flatten), a Permute layer before it restores the old order.

    Raises:
        ModelLoadFailed: a layer has an activation, such as softmax, over the map's width.
    """
    root = functional_graph(model)
    if root is None or not _has_channels_first(root):
        return model
    transposed = tuple(len(tensor.shape) == _MAP_RANK and tensor.shape[1] in (1, 3) for tensor in root.inputs)
    return _ChannelsLastConverter().convert_model(root, transposed)[0]


class _ChannelsLastConverter:
    """Builds the new model node by node. Nested models, shared layers and repeated calls are converted once."""

    def __init__(self) -> None:
        self._models: dict[tuple[int, tuple[bool, ...]], tuple[Any, tuple[bool, ...]]] = {}
        self._layers: dict[int, Any] = {}
        self._permute_names: Counter[str] = Counter()

    def convert_model(self, model: Any, transposed: tuple[bool, ...]) -> tuple[Any, tuple[bool, ...]]:
        """Return the new model, and which of its outputs are transposed. `transposed` says which of its inputs are."""
        key = id(model), transposed
        if key not in self._models:
            values = {id(old): _new_input(old, transpose) for old, transpose in zip(model.inputs, transposed, strict=True)}
            inputs = [values[id(old)].tensor for old in model.inputs]
            for node in calls_in_order(model):
                values.update(zip(map(id, node.outputs), self._convert_call(node, values), strict=True))
            outputs = [values[id(old)] for old in model.outputs]
            new = Functional(_single_or_list(inputs), _single_or_list([value.tensor for value in outputs]), name=model.name)
            self._models[key] = new, tuple(value.transposed for value in outputs)
        return self._models[key]

    def _convert_call(self, node: Any, values: dict[int, _NewTensor]) -> list[_NewTensor]:
        operation = node.operation
        given = [values[id(tensor)] for tensor in node.input_tensors]
        inner = functional_graph(operation)
        if inner is not None:
            args, kwargs = call_arguments(node, {id(tensor): tensor for tensor in node.input_tensors})
            given = [values[id(tensor)] for tensor in keras.tree.flatten(nested_model_inputs(args, kwargs))]
            new, transposed = self.convert_model(inner, tuple(value.transposed for value in given))
            outputs = keras.tree.flatten(new(_single_or_list([value.tensor for value in given])))
            return [_NewTensor(output, transpose) for output, transpose in zip(outputs, transposed, strict=True)]
        transpose = _is_channels_first(node) or (any(value.transposed for value in given) and _works_transposed(node))
        called = self._channels_last_layer(operation) if transpose else operation
        wanted = {id(old): self._permute(value, operation.name, transpose) for old, value in zip(node.input_tensors, given, strict=True)}
        args, kwargs = call_arguments(node, wanted)
        outputs = keras.tree.flatten(called(*args, **kwargs))
        if called is not operation:
            called.set_weights(operation.get_weights())
        return [_NewTensor(output, transpose and len(output.shape) == _MAP_RANK) for output in outputs]

    def _permute(self, value: _NewTensor, reader: str, transposed: bool) -> Any:
        """Return the tensor in the order that the layer `reader` needs, by a Permute layer if the order differs."""
        if value.transposed == transposed or len(value.tensor.shape) != _MAP_RANK:
            return value.tensor
        name = f"{reader}_{_LAST if transposed else _FIRST}"
        self._permute_names[name] += 1
        number = self._permute_names[name]
        layer = keras.layers.Permute((2, 3, 1) if transposed else (3, 1, 2), name=name if number == 1 else f"{name}_{number}")
        return layer(value.tensor)

    def _channels_last_layer(self, operation: Any) -> Any:
        """Return the layer that does for channels_last maps what `operation` does for channels_first maps."""
        config = operation.get_config() if isinstance(operation, keras.Layer) else {}
        changes: dict[str, Any] = {}
        if config.get("data_format") == _FIRST:
            changes["data_format"] = _LAST
        if isinstance(operation, _LAYERS_WITH_AXIS) and (axis := _axis(operation)) is not None:
            changes["axis"] = _NEW_AXIS[axis]
        if not changes:
            return operation
        if id(operation) not in self._layers:
            self._layers[id(operation)] = type(operation).from_config({**config, **changes})
        return self._layers[id(operation)]


def _single_or_list(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


def _new_input(old: Any, transpose: bool) -> _NewTensor:
    shape = tuple(old.shape)
    if transpose:
        shape = (shape[0], *shape[2:], shape[1])
    return _NewTensor(keras.Input(batch_shape=shape, dtype=old.dtype, name=producer_of(old).name), transpose)


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
    if found and name in _ALONG_AN_AXIS:
        raise ModelLoadFailed(
            f"Layer '{layer.name}' is channels_first with a {name}, which works along the map's width. Save the model as channels_last."
        )
    return found


def _works_transposed(node: Any) -> bool:
    """Return whether the layer computes the same on transposed maps if its axis is changed accordingly.

    It does if it reads maps only, and treats each value by itself or along one axis.
    """
    layer = node.operation
    if any(len(tensor.shape) != _MAP_RANK for tensor in node.input_tensors) or not _has_plain_arguments(node):
        return False
    if isinstance(layer, _LAYERS_WITH_AXIS):
        return _axis(layer) is not None
    name = type(layer).__name__
    if isinstance(layer, keras.Layer):
        activation = getattr(layer, "activation", None)
        elementwise = isinstance(layer, _ACTIVATIONS) and getattr(activation, "__name__", name) not in _ALONG_AN_AXIS
        dropped = kind_of(layer) is LayerKind.REGULARIZATION and not hasattr(layer, "data_format")
        return elementwise or dropped or name in _MERGES or isinstance(layer, keras.layers.Identity)
    return name in _MERGES or (kind_of(layer) is LayerKind.ACTIVATION and name not in _ALONG_AN_AXIS)


def _axis(layer: Any) -> int | None:
    """Return the one axis along which the layer works, counted from 0, or None if there are several."""
    axis = layer.axis
    if isinstance(axis, (list, tuple)):
        if len(axis) != 1:
            return None
        (axis,) = axis
    return int(axis) % _MAP_RANK


def _has_plain_arguments(node: Any) -> bool:
    """Return whether all arguments are tensors or plain values, which have no axes."""
    leaves = keras.tree.flatten((node.arguments.args, node.arguments.kwargs))
    return all(isinstance(leaf, (keras.KerasTensor, int, float, bool, str, type(None))) for leaf in leaves)
