"""Convert a configuration that Keras 2 stored (`.h5` of `tf_keras` and older) into one that Keras 3 reads.

Keras 3's own loader fails on such files in two ways. It refuses arguments that Keras 2 wrote everywhere, such as `groups` of depthwise
convolutions in every MobileNet. And it gives a list instead of a tensor to the layer after a nested model, so the `Sequential` of a VGG16
base, Flatten and Dense in *Deep Learning with Python* ends in an AttributeError. The rules below come from loading every layer of
`tf_keras` 2.21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.errors import ModelLoadFailed
from workers.models.conversion.keras2_graph import MODEL_CLASSES, with_counted_calls, without_training_outputs
from workers.models.conversion.keras2_operations import OPERATION_LAYERS, convert_operation
from workers.models.conversion.keras2_shapes import with_sizes_from_shapes
from workers.models.conversion.slashes_in_names import without_slashes

# Arguments that Keras 3 no longer has, each with the one value at which it can be left out. With ANY it can always be left out.
ANY = object()
_GROUPS = {"groups": 1}
_SEPARABLE = {**_GROUPS, "kernel_initializer": ANY, "kernel_regularizer": ANY, "kernel_constraint": ANY}
_SPATIAL_DROPOUT = {"trainable": ANY, "noise_shape": ANY}
_RECURRENT = {"time_major": False}
_DROPPED: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D"), _GROUPS),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _SEPARABLE),
    **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), _SPATIAL_DROPOUT),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM2D"), _RECURRENT),
    "MultiHeadAttention": {"softmax_robust_masking": False, "query_shape": ANY, "key_shape": ANY, "value_shape": ANY},
}
_DROPPED_EVERYWHERE = {"rng_type": ANY}
_RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}}
# hard_sigmoid is clip(0.2 x + 0.5) in Keras 2 and clip(x / 6 + 0.5) in Keras 3, so the loaded model would compute other numbers.
_CHANGED_MEANING = frozenset({"hard_sigmoid"})


def convert_config(config: Mapping[str, Any], file_name: str) -> dict[str, Any]:
    """Return the configuration of a model saved by Keras 2 in the form that Keras 3 reads. `config` is not changed.

    Raises:
        ModelLoadFailed: Keras 3 cannot express a part of the configuration.
    """
    converted = _convert(without_slashes(config), file_name)
    assert isinstance(converted, dict)  # noqa: S101 - a mapping is converted to a dict
    return converted


def _convert(value: Any, file_name: str) -> Any:
    if isinstance(value, list):
        return [_convert(item, file_name) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("class_name") in MODEL_CLASSES - {"Sequential"} and isinstance(value.get("config"), Mapping):
        value = {**value, "config": with_sizes_from_shapes(value["config"], file_name)}
    entry = {key: _convert(item, file_name) for key, item in value.items()}
    name = entry.get("class_name")
    return _convert_object(name, entry, file_name) if isinstance(name, str) else entry


def _convert_object(name: str, entry: dict[str, Any], file_name: str) -> Any:
    if name in OPERATION_LAYERS:
        return convert_operation(entry, file_name)
    if name == "Policy":  # Keras 3 takes the name of a mixed-precision policy
        return entry["config"]["name"]
    if name in MODEL_CLASSES:
        return _convert_model(entry)
    if isinstance(entry.get("config"), dict):
        entry["config"] = _convert_layer(name, entry["config"], file_name)
    return entry


def _convert_model(entry: dict[str, Any]) -> dict[str, Any]:
    name, config = entry["class_name"], entry["config"]
    if name == "Sequential":
        if isinstance(config, list):  # Keras before 2.2.3
            config = {"name": "sequential", "layers": config}
        return {**entry, "config": {**config, "layers": _with_input_layer(config["layers"])}}
    config = with_counted_calls(without_training_outputs(config))
    single = {key: _unwrapped(config[key]) for key in ("input_layers", "output_layers") if key in config}
    return {**entry, "class_name": "Functional", "config": {**config, **single}}


def _unwrapped(tensors: list[Any]) -> list[Any]:
    """Return `["conv", 0, 0]` for `[["conv", 0, 0]]`, which Keras 3 would read as a model that returns a list."""
    return tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list) else tensors


def _with_input_layer(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give a `Sequential` that starts with a nested model an input layer of that model's shape. Keras 2 did not always write one."""
    first = layers[0] if layers else {}
    if first.get("class_name") not in MODEL_CLASSES:
        return layers
    inner = first["config"]["layers"][0]["config"]
    shape = inner.get("batch_input_shape") or inner.get("batch_shape")
    if shape is None:
        return layers
    name = f"{first['config'].get('name', 'model')}_input"
    return [{"class_name": "InputLayer", "config": {"batch_shape": shape, "name": name, "dtype": inner.get("dtype", "float32")}}, *layers]


def _convert_layer(name: str, config: dict[str, Any], file_name: str) -> dict[str, Any]:
    for argument in ("activation", "recurrent_activation"):
        if config.get(argument) in _CHANGED_MEANING:
            raise ModelLoadFailed(
                f"'{file_name}': layer '{config.get('name')}' uses {config[argument]} of Keras 2, which is another function in Keras 3."
            )
    renamed = {_RENAMED.get(name, {}).get(argument, argument): value for argument, value in config.items()}
    dropped = {**_DROPPED_EVERYWHERE, **_DROPPED.get(name, {})}
    for argument, neutral in dropped.items():
        if argument in renamed and renamed.pop(argument) != neutral and neutral is not ANY:
            raise ModelLoadFailed(
                f"'{file_name}': {name} '{config.get('name')}' has {argument} = {config[argument]}, which Keras 3 does not have."
            )
    if name == "BatchNormalization" and isinstance(renamed.get("axis"), list):
        (renamed["axis"],) = renamed["axis"]
    return renamed
