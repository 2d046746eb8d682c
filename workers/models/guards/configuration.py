"""A stored model's configuration, looked through before anything of it is built."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from schemas.errors import ModelLoadFailed
from workers.engine.keras_internals import FUNCTIONAL_MODULE, KerasSaveable
from workers.models.limits import ModelLimits

MAX_CONFIG_BYTES = 64 * 2**20

# Classes that run code which the file carries or names.
_REFUSED = frozenset({"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__typespec__"})
# Plain values in Keras's serialisation, and Keras 2's dtype policy.
_VALUES = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "Policy"})
_HOW_TO_SAVE = (
    "Save a subclassed model as the Functional one that it amounts to, `inputs = keras.Input(shape); "
    "keras.Model(inputs, model.call(inputs)).save(…)`, made of Keras's own layers."
)
_NAMESPACES = (keras.layers, keras.initializers, keras.regularizers, keras.constraints, keras.dtype_policies, keras, FUNCTIONAL_MODULE)
_PLAIN_KINDS = (
    KerasSaveable,
    keras.Operation,
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
    keras.DTypePolicy,
    keras.dtype_policies.DTypePolicyMap,
    keras.random.SeedGenerator,
)


def read_config(text: str | bytes, file_name: str) -> dict[str, Any]:
    """The configuration as JSON.

    Raises:
        ModelLoadFailed: too long, not JSON, or no object that names a class.
    """
    if len(text) > MAX_CONFIG_BYTES:
        raise ModelLoadFailed(f"'{file_name}': its configuration has {len(text)} bytes; at most {MAX_CONFIG_BYTES} are read.")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelLoadFailed(f"'{file_name}': its configuration is not valid JSON: {error}") from error
    if not isinstance(config, dict) or "class_name" not in config:
        raise ModelLoadFailed(f"'{file_name}': its configuration names no model class.")
    return config


def check_config(config: Mapping[str, Any], file_name: str, limits: ModelLimits) -> None:
    """Refuses what must not be built.

    Raises:
        ModelLoadFailed: a class that runs foreign code or that Keras does not have, by name; too many layers.
    """
    layers = 0
    for entry in _objects(config):
        name = entry["class_name"]
        if name in _REFUSED:
            raise ModelLoadFailed(
                f"'{file_name}' contains a {name} layer, which carries code of its own; only Keras's own layers are loaded. "
                "Save the model with that step as Keras layers or as preprocessing in NAME.toml."
            )
        if name == "function":
            _check_function(entry, file_name)
        elif name not in _VALUES:
            found = _class(name, entry.get("module"))
            if found is None:
                raise ModelLoadFailed(
                    f"'{file_name}' contains the class '{_full_name(entry)}', which Keras {keras.__version__} does not load from it: the "
                    f"code of a class of one's own is not in the file. {_HOW_TO_SAVE}"
                )
            layers += issubclass(found, keras.Operation)
    if layers > limits.max_layers:
        raise ModelLoadFailed(
            f"'{file_name}' has {layers} layers; at most {limits.max_layers} are allowed.", allowed=str(limits.max_layers), got=str(layers)
        )


def _objects(root: Any) -> Iterator[Mapping[str, Any]]:
    """Every serialised object in a configuration, outermost first."""
    pending = [root]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            if isinstance(value.get("class_name"), str):
                yield value
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _class(name: str, module: object) -> type | None:
    """The Keras class that an entry names, by public module (`keras.layers`), by source module, or by name alone (Keras 2)."""
    places: list[Any] = list(_NAMESPACES)
    if isinstance(module, str) and module:
        if module != "keras" and not module.startswith("keras."):
            return None
        with contextlib.suppress(ImportError):  # a module of Keras 2 or of another version: the public name decides
            places.insert(0, importlib.import_module(module))
    for place in places:
        found = getattr(place, name, None)
        if inspect.isclass(found) and issubclass(found, _PLAIN_KINDS):
            return found
    return None


def _check_function(entry: Mapping[str, Any], file_name: str) -> None:
    name = entry.get("config")
    if not isinstance(name, str) or not inspect.isroutine(getattr(keras.activations, name, None)):
        raise ModelLoadFailed(f"'{file_name}' names the function '{name}', which is no Keras activation.")


def _full_name(entry: Mapping[str, Any]) -> str:
    registered = entry.get("registered_name")
    return registered if isinstance(registered, str) and registered else entry["class_name"]
