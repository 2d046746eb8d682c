"""Name the modules of the operations in an `.h5` file of Keras 3, without which Keras cannot read them back.

Such a file names an operation by its class alone, as in `"class_name": "TrueDivide"`, and Keras then looks for a layer of this name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.engine.keras_internals import operation_module


def with_operation_modules(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the configuration in which every operation of the graph names its module.

    Some operations are called like a layer, for example `Add`. Only the configuration of a layer has `trainable`.
    """
    entry = {key: _with_modules(value) for key, value in config.items()}
    arguments = entry.get("config")
    if "inbound_nodes" in entry and isinstance(arguments, dict) and "trainable" not in arguments:
        module = operation_module(str(entry.get("class_name")))
        if module is not None:
            entry |= {"module": module, "registered_name": entry["class_name"]}
    return entry


def _with_modules(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_modules(item) for item in value]
    return with_operation_modules(value) if isinstance(value, Mapping) else value
