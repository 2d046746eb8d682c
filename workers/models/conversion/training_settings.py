"""Take out of a stored model's configuration what only its training needs, before anything of it is checked or built.

A loss, a metric, an optimiser or a regulariser of the author's own is not needed to run the model, and its code is not in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

# The settings of `compile`. Keras writes them beside the class of every model that was compiled, also of a nested one.
_COMPILE_SETTINGS = "compile_config"
# The arguments of a layer that act during training alone. Each may be null.
_ENDINGS_IN_TRAINING_ALONE = ("_regularizer", "_constraint")
_INITIALIZER_ENDING = "_initializer"


def without_training_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a model's configuration without compile settings, regularisers and constraints.

    An initialiser that is not Keras's own is left out too, because the file's weights replace what it draws.
    """
    return {key: _without(value) for key, value in config.items() if key != _COMPILE_SETTINGS}


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    kept = without_training_settings(value)
    arguments = kept.get("config")
    if isinstance(kept.get("class_name"), str) and isinstance(arguments, dict):
        kept["config"] = _without_in_layer(arguments)
    return kept


def _without_in_layer(arguments: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: None if name.endswith(_ENDINGS_IN_TRAINING_ALONE) else value for name, value in arguments.items()}
    foreign = [name for name, value in kept.items() if name.endswith(_INITIALIZER_ENDING) and _is_foreign(value)]
    return {name: value for name, value in kept.items() if name not in foreign}


def _is_foreign(initializer: Any) -> bool:
    if not isinstance(initializer, Mapping):
        return False
    registered = initializer.get("registered_name")
    own_package = isinstance(registered, str) and ">" in registered
    return own_package or not hasattr(keras.initializers, str(initializer.get("class_name")))
