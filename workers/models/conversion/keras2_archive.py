"""Read `.keras` files of Keras 2 (TensorFlow 2.12 to 2.15, and `tf_keras`) as if they were of Keras 3.

Their configuration names the same layers with the same arguments as an `.h5` file of Keras 2. It also names the module of every class,
for example `keras.src.engine.functional`, which Keras 3 does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import h5py

from workers.models.conversion.keras2_graph import MODEL_CLASSES

# `build_config` holds the shapes that a layer was built for. The shape of the model's input decides them again.
_ONLY_IN_ARCHIVES = ("module", "registered_name", "build_config")
_PUBLIC_MODULE = re.compile(r"(?:tf_)?(keras\.\w+)")
_OLD_LAYERS = "_layer_checkpoint_dependencies"
_NUMBERED = re.compile(r"(.*?)(?:_(\d+))?")


def in_hdf5_form(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a stored model in which every layer of a graph is named by its class alone.

    A class that is registered under a package, and so is not one of Keras's own, keeps that name, for example `Frogs>Croak`.
    """
    entry = {key: value for key, value in config.items() if key not in _ONLY_IN_ARCHIVES}
    registered = config.get("registered_name")
    if isinstance(registered, str) and ">" in registered:
        entry["class_name"] = registered
    arguments = entry.get("config")
    if isinstance(arguments, Mapping):
        entry["config"] = {key: _argument(value) for key, value in arguments.items()}
        if entry.get("class_name") in MODEL_CLASSES and isinstance(arguments.get("layers"), list):
            entry["config"]["layers"] = [in_hdf5_form(layer) for layer in arguments["layers"]]
    return entry


def _argument(value: Any) -> Any:
    """Return an argument of a layer. An object in it, such as the layer inside a wrapper, keeps its module where Keras 3 has that."""
    if isinstance(value, list):
        return [_argument(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    public = _PUBLIC_MODULE.fullmatch(value["module"]) if isinstance(value.get("module"), str) else None
    if public is None and "class_name" in value:
        return in_hdf5_form(value)
    kept = {key: _argument(item) for key, item in value.items()}
    return kept if public is None else {**kept, "module": public[1]}


def count_layers_without_gaps(file: h5py.File) -> None:
    """Rename the layers in the weights of a `.keras` file so that those of each class are counted without gaps. This changes `file`.

    TensorFlow 2.12 and 2.13 wrote each layer with weights once, but counted it twice: `conv2d`, `conv2d_2`, `conv2d_4`. Keras 3 reads
    `conv2d`, `conv2d_1`, `conv2d_2`. Files of later versions stay as they are.
    """
    if _OLD_LAYERS not in file:
        return
    for group in list(_containers(file)):
        seen: dict[str, int] = {}
        for stem, number, name in sorted(_numbered(str(name)) for name in group):
            count = seen[stem] = seen.get(stem, -1) + 1
            if count != number:
                group.move(name, f"{stem}_{count}")


def _containers(group: h5py.Group) -> Iterator[h5py.Group]:
    """Yield every group that holds layers, the innermost first, so that renaming does not touch what is still to come."""
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            yield from _containers(item)
            if name == _OLD_LAYERS:
                yield item


def _numbered(name: str) -> tuple[str, int, str]:
    match = _NUMBERED.fullmatch(name)
    stem, number = match.groups() if match else (name, None)
    return stem, int(number or 0), name
