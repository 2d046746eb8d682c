"""Rename the layers of a Keras 2 model whose names have a slash, which Keras 3 does not allow.

In a path such as `base/conv`, a slash stands between a nested model and its layer. So `Conv/BatchNorm` of MobileNetV3 becomes
`Conv_BatchNorm`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def without_slashes(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a model's configuration with `_` in place of every slash in the name of a layer or model.

    A number is added (`Conv_BatchNorm_1`) where another layer of the same model has the new name already.
    """
    return _renamed(config, {})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return `value` with the layers' names in it replaced by `names`; a model inside it has new names of its own."""
    if isinstance(value, list):
        if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int):  # a reference: layer, call, output
            return [names.get(value[0], value[0]), *(_renamed(item, names) for item in value[1:])]
        return [_renamed(item, names) for item in value]
    if not isinstance(value, Mapping):
        return value
    entry = {key: _renamed(item, names) for key, item in value.items() if key != "config"}
    if isinstance(entry.get("name"), str):
        entry["name"] = names.get(entry["name"], entry["name"])
    if "config" in value:
        entry["config"] = _renamed_config(value["config"], names)
    return entry


def _renamed_config(config: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(config, Mapping):
        return _renamed(config, names)
    layers = config.get("layers")
    own = _new_names([_name_of(layer) for layer in layers]) if isinstance(layers, list) else {}
    renamed = {key: _renamed(item, own) for key, item in config.items()}
    if isinstance(renamed.get("name"), str):
        renamed["name"] = names.get(renamed["name"], renamed["name"].replace("/", "_"))
    return renamed


def _name_of(layer: Any) -> str:
    config = layer.get("config") if isinstance(layer, Mapping) else None
    name = config.get("name") if isinstance(config, Mapping) else None
    return str(layer.get("name") or name or "") if isinstance(layer, Mapping) else ""


def _new_names(names: list[str]) -> dict[str, str]:
    taken = {name for name in names if "/" not in name}
    new: dict[str, str] = {}
    for name in names:
        if "/" not in name:
            continue
        plain = candidate = name.replace("/", "_")
        number = 0
        while candidate in taken:
            number += 1
            candidate = f"{plain}_{number}"
        taken.add(candidate)
        new[name] = candidate
    return new
