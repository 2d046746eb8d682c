"""Check the configuration of a stored model before anything of it is built."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from schemas.errors import ModelLoadFailed
from workers.engine.keras_internals import APPLICATION_LAYERS, FUNCTIONAL_MODULE, KerasSaveable
from workers.engine.sized_operation import SizedOperation
from workers.models.conversion.keras2_shapes import REGISTERED_NAME
from workers.models.custom_objects import CustomObjects
from workers.models.guards.graph_size import graph_size
from workers.models.limits import ModelLimits

# These classes run code that the file contains or names.
_REFUSED = frozenset({"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__typespec__"})
# These read a vocabulary from a path or an address that the file gives (CVE-2025-12058).
_LOOKUPS = frozenset({"StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup", "FeatureSpace"})
_CONNECTIONS_PER_LAYER = 10
# These are plain values in Keras's serialisation, and the dtype policy of Keras 2.
_VALUES = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "Policy"})
_HOW_TO_SAVE = (
    "If it is a subclassed model made of Keras's own layers, save it as a Functional model: "
    "`inputs = keras.Input(shape); keras.Model(inputs, model.call(inputs)).save(…)`. "
    "The operator can let workers import a class by CONVSCOPE_CUSTOM_OBJECTS=module:Class."
)
# An operation of this project, which stands for arithmetic with shapes in converted files of Keras 2.
_OWN_OPERATIONS = {REGISTERED_NAME: SizedOperation}
_NAMESPACES = (
    keras.layers,
    keras.initializers,
    keras.regularizers,
    keras.constraints,
    keras.dtype_policies,
    keras.quantizers,
    keras,
    FUNCTIONAL_MODULE,
)
_PLAIN_KINDS = (
    KerasSaveable,
    keras.Operation,
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
    keras.DTypePolicy,
    keras.dtype_policies.DTypePolicyMap,
    keras.random.SeedGenerator,
    keras.quantizers.Quantizer,
    keras.quantizers.QuantizationConfig,
)


def check_config(config: Mapping[str, Any], file_name: str, limits: ModelLimits, custom_objects: CustomObjects) -> dict[str, Any]:
    """Check that only Keras's own classes, those of the operator, and not too many layers would be built.

    Return the operator's objects that the configuration names, by the names under which Keras looks for them.

    Raises:
        ModelLoadFailed: a class runs foreign code, reads a file or is in neither place (the error names it), or there are too many
            layers.
    """
    layers: set[str] = set()
    named: dict[str, Any] = {}
    find_class = functools.cache(_class)
    for entry in _objects(config):
        name = entry["class_name"]
        custom = _OWN_OPERATIONS.get(str(entry.get("registered_name"))) or _custom_object(entry, custom_objects)
        if custom is not None:
            named[_stored_name(entry)] = custom
            if inspect.isclass(custom) and issubclass(custom, keras.Operation):
                layers.add(name)
        elif name == "function":
            _check_function(entry, file_name)
        elif name in _LOOKUPS:
            raise ModelLoadFailed(
                f"'{file_name}' contains a {name} layer, which reads its vocabulary from a file or an address. No model that takes images "
                "needs one. Save the model without it."
            )
        elif name in _REFUSED and not _calls_custom_function(entry, custom_objects):
            raise ModelLoadFailed(
                f"'{file_name}' contains a {name} layer, which brings its own code. Only Keras's own layers are loaded. "
                "Save the model with Keras layers for that step, or set it as preprocessing in NAME.toml."
            )
        elif name not in _VALUES:
            found = find_class(name, entry["module"] if isinstance(entry.get("module"), str) else "")
            if found is None:
                raise ModelLoadFailed(
                    f"'{file_name}' contains the class '{_full_name(entry)}', which Keras {keras.__version__} cannot load. "
                    f"The file does not contain the code of a class that is not Keras's own. {_HOW_TO_SAVE}"
                )
            if issubclass(found, keras.Operation):
                layers.add(name)
    _check_graph_size(config, layers, file_name, limits)
    return named


def _check_graph_size(config: Mapping[str, Any], layer_classes: set[str], file_name: str, limits: ModelLimits) -> None:
    size = graph_size(config, layer_classes)
    for got, what, allowed in (
        (size.calls, "layers", limits.max_layers),
        (size.reads, "connections between layers", _CONNECTIONS_PER_LAYER * limits.max_layers),
    ):
        if got > allowed:
            raise ModelLoadFailed(
                f"'{file_name}' has {got} {what}; at most {allowed} are allowed. Each call of a layer counts.",
                allowed=str(allowed),
                got=str(got),
            )


def _custom_object(entry: Mapping[str, Any], custom_objects: CustomObjects) -> Any | None:
    """Return the operator's object that an entry names, or None. An entry that names a module of Keras never stands for one."""
    module = entry.get("module")
    if isinstance(module, str) and (module == "keras" or module.startswith("keras.")):
        return None
    stored = [_stored_name(entry), *([entry["class_name"]] if entry["class_name"] != "function" else [])]
    return next((found for name in stored if (found := custom_objects.find(name)) is not None), None)


def _stored_name(entry: Mapping[str, Any]) -> str:
    """Return the name by which Keras looks for a class or function that is not its own."""
    if entry["class_name"] == "function":
        return str(entry.get("config"))
    return _full_name(entry)


def _calls_custom_function(entry: Mapping[str, Any], custom_objects: CustomObjects) -> bool:
    """Return whether an entry is a Lambda layer that calls one of the operator's functions by its name."""
    arguments = entry.get("config")
    function = arguments.get("function") if entry["class_name"] == "Lambda" and isinstance(arguments, Mapping) else None
    if not isinstance(function, Mapping) or function.get("class_name") != "function":
        return False
    return _custom_object(function, custom_objects) is not None


def _objects(root: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every serialised object in a configuration, the outermost first."""
    pending = [root]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            if isinstance(value.get("class_name"), str):
                yield value
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _class(name: str, module: str) -> type | None:
    """Return the Keras class that an entry names, by public module (`keras.layers`), source module, or name alone (Keras 2)."""
    places: list[Any] = list(_NAMESPACES)
    if module:
        if module != "keras" and not module.startswith("keras."):
            return None
        with contextlib.suppress(ImportError):  # this Keras lacks a module of Keras 2 or of another version; the public name decides
            places.insert(0, importlib.import_module(module))
    elif name in APPLICATION_LAYERS:
        return APPLICATION_LAYERS[name]
    for place in places:
        found = getattr(place, name, None)
        if inspect.isclass(found) and issubclass(found, _PLAIN_KINDS):
            return found
    return None


def _check_function(entry: Mapping[str, Any], file_name: str) -> None:
    name = entry.get("config")
    if not isinstance(name, str) or not inspect.isroutine(getattr(keras.activations, name, None)):
        raise ModelLoadFailed(f"'{file_name}' names the function '{name}', which is not a Keras activation.")


def _full_name(entry: Mapping[str, Any]) -> str:
    registered = entry.get("registered_name")
    return registered if isinstance(registered, str) and registered else entry["class_name"]
