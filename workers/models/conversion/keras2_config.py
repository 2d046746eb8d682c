"""A configuration stored by Keras 2 (`.h5` of `tf_keras` and older), brought to what Keras 3 reads.

Keras 3's own loader of such files stops at arguments that Keras 2 wrote everywhere (`groups` of depthwise convolutions:
every MobileNet) and hands a list instead of a tensor to what follows a nested model (the book's `Sequential` of a VGG16
base, Flatten and Dense ends in an AttributeError). Each rule below was found by loading every layer of `tf_keras` 2.21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.errors import ModelLoadFailed

# Arguments that Keras 3 no longer has, and the one value at which leaving them out changes nothing; ANY where it never does.
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
# Keras 2: clip(0.2 x + 0.5); Keras 3: clip(x / 6 + 0.5). Loading it as it is would change the model's numbers.
_CHANGED_MEANING = frozenset({"hard_sigmoid"})
_MODELS = frozenset({"Functional", "Model", "Sequential"})


def mend_config(config: Mapping[str, Any], file_name: str) -> dict[str, Any]:
    """A configuration of a model saved by Keras 2 as Keras 3 reads it; `config` itself is left as it is.

    Raises:
        ModelLoadFailed: something that Keras 3 cannot express.
    """
    mended = _mend(config, file_name)
    assert isinstance(mended, dict)  # noqa: S101 - a mapping stays one
    return mended


def _mend(value: Any, file_name: str) -> Any:
    if isinstance(value, list):
        return [_mend(item, file_name) for item in value]
    if not isinstance(value, Mapping):
        return value
    entry = {key: _mend(item, file_name) for key, item in value.items()}
    name = entry.get("class_name")
    if not isinstance(name, str):
        return entry
    if name == "Policy":  # a mixed-precision policy: Keras 3 takes its name
        return entry["config"]["name"]
    if name in _MODELS:
        return _model(entry)
    if isinstance(entry.get("config"), dict):
        entry["config"] = _layer(name, entry["config"], file_name)
    return entry


def _model(entry: dict[str, Any]) -> dict[str, Any]:
    name, config = entry["class_name"], entry["config"]
    if name == "Sequential":
        if isinstance(config, list):  # Keras before 2.2.3
            config = {"name": "sequential", "layers": config}
        return {**entry, "config": {**config, "layers": _with_input_layer(config["layers"])}}
    single = {key: _unwrapped(config[key]) for key in ("input_layers", "output_layers") if key in config}
    return {**entry, "class_name": "Functional", "config": {**config, **single}}


def _unwrapped(tensors: list[Any]) -> list[Any]:
    """`[["conv", 0, 0]]` → `["conv", 0, 0]`: Keras 3 reads the former as a model that answers a list."""
    return tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list) else tensors


def _with_input_layer(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A `Sequential` that starts with a nested model takes that model's input shape; Keras 2 did not always write it."""
    first = layers[0] if layers else {}
    if first.get("class_name") not in _MODELS:
        return layers
    inner = first["config"]["layers"][0]["config"]
    shape = inner.get("batch_input_shape") or inner.get("batch_shape")
    if shape is None:
        return layers
    name = f"{first['config'].get('name', 'model')}_input"
    return [{"class_name": "InputLayer", "config": {"batch_shape": shape, "name": name, "dtype": inner.get("dtype", "float32")}}, *layers]


def _layer(name: str, config: dict[str, Any], file_name: str) -> dict[str, Any]:
    for argument in ("activation", "recurrent_activation"):
        if config.get(argument) in _CHANGED_MEANING:
            raise ModelLoadFailed(
                f"'{file_name}': layer '{config.get('name')}' uses Keras 2's {config[argument]}, which is another function in Keras 3."
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
