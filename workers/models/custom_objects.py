"""The Python objects of the operator's own that model files may name: `CONVSCOPE_CUSTOM_OBJECTS=module:Class,module:function`.

A model file holds no code, so a layer of one's own can only be made if its class is imported from a module of this machine.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras

from schemas.nearest_names import nearest_hint, nearest_names
from workers.engine.keras_internals import inner_layers


class CustomObjectError(Exception):
    """An object that `CONVSCOPE_CUSTOM_OBJECTS` names cannot be used. The message says why, in full sentences."""


@dataclass(frozen=True)
class CustomObject:
    """A class or function of the operator's own. `name` is as in the setting, for example `frogs.layers:Croak`."""

    name: str
    value: Any

    @property
    def stored_names(self) -> tuple[str, ...]:
        """The names by which a model file may name it: its own, and the one under which it is registered, such as `Frogs>Croak`."""
        return tuple(dict.fromkeys((self.value.__name__, self.name.partition(":")[2], keras.saving.get_registered_name(self.value))))

    @property
    def code_digest(self) -> str:
        """The sha256 of the source file of its module, in hex. It is empty if there is no source file."""
        with suppress(OSError, TypeError):
            file = inspect.getsourcefile(self.value)
            return "" if file is None else hashlib.sha256(Path(file).read_bytes()).hexdigest()
        return ""


class CustomObjects:
    """The objects that model files may name besides those of Keras, found by the names that files give them."""

    def __init__(self, objects: Iterable[CustomObject] = ()) -> None:
        self._objects = tuple(objects)
        self._by_stored_name: dict[str, CustomObject] = {}
        for each in self._objects:
            for stored in each.stored_names:
                other = self._by_stored_name.setdefault(stored, each)
                if other.value is not each.value:
                    raise CustomObjectError(
                        f"A model file would name both '{other.name}' and '{each.name}' as '{stored}'. Give two objects different names."
                    )

    def find(self, stored_name: str) -> Any | None:
        """Return the object that a file names, or None. `Frogs>Croak` also stands for a `Croak` that is registered under another name."""
        for candidate in (stored_name, stored_name.rpartition(">")[2]):
            if candidate in self._by_stored_name:
                return self._by_stored_name[candidate].value
        return None

    def used_in(self, layers: Iterable[Any]) -> tuple[CustomObject, ...]:
        """Return the objects that these layers and the layers inside them are made of, or have as arguments."""
        if not self._objects:
            return ()
        parts = {id(part) for layer in layers for part in _parts(layer)}
        return tuple(each for each in self._objects if id(each.value) in parts)


@lru_cache(maxsize=8)
def import_custom_objects(names: tuple[str, ...]) -> CustomObjects:
    """Import the modules and return the objects that `names` (`module:Class`) stand for.

    Raises:
        CustomObjectError: a module cannot be imported, or has no such class or function.
    """
    return CustomObjects([_imported(name) for name in names])


def _imported(name: str) -> CustomObject:
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # the operator's code may raise anything
        raise CustomObjectError(
            f"The module of '{name}' cannot be imported: {type(error).__name__}: {error}. Workers look for modules among the installed "
            "packages and in the folders of PYTHONPATH."
        ) from error
    value = getattr(module, attribute, None)
    if value is None:
        nearest = nearest_names(attribute, [each for each in vars(module) if not each.startswith("_")])
        raise CustomObjectError(f"The module '{module_name}' has no '{attribute}'.{nearest_hint(nearest)}")
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        raise CustomObjectError(f"'{name}' is of the type {type(value).__name__}. A custom object must be a class or a function.")
    return CustomObject(name, value)


def _parts(layer: Any) -> Iterator[Any]:
    """Yield the classes of a layer and of all layers inside it, and the values of their attributes."""
    yield type(layer)
    for value in vars(layer).values():
        yield value
        yield type(value)
    if isinstance(layer, keras.Layer):
        for inner in inner_layers(layer):
            yield from _parts(inner)


def import_fault(names: tuple[str, ...]) -> str | None:
    """Return why the objects cannot be imported, or None if they can."""
    try:
        import_custom_objects(names)
    except CustomObjectError as error:
        return str(error)
    return None


def main() -> None:
    """Print, as JSON, why the objects that the arguments name cannot be imported; print null if they can."""
    sys.stdout.write("\n" + json.dumps(import_fault(tuple(sys.argv[1:]))) + "\n")


if __name__ == "__main__":
    main()
