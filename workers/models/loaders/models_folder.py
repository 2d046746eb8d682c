"""Load the model files of the models folder: `.keras` and `.h5` of Keras 3 or Keras 2.

A file is not trusted. Everything that it claims is checked before it is built or read.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed
from workers.engine.keras_internals import (
    declare_variables_only,
    load_archive_state,
    load_hdf5_weights,
    model_from_archive_config,
    model_from_hdf5_config,
)
from workers.models.conversion.channels_first import to_channels_last
from workers.models.conversion.keras2_archive import in_hdf5_form, with_counted_layers
from workers.models.conversion.keras2_config import convert_config
from workers.models.conversion.keras3_operations import with_operation_modules
from workers.models.conversion.training_settings import without_training_settings
from workers.models.custom_objects import import_custom_objects
from workers.models.guards.configuration import check_config, read_config
from workers.models.guards.hdf5 import check_file_size, check_hdf5, open_hdf5
from workers.models.guards.keras_archive import check_archive
from workers.models.limits import ModelLimits
from workers.models.loaders.base import SourceLoader

_ARGUMENTS_OF_OWN_CLASSES = (
    " If this is a class of your own: its get_config must return all arguments of __init__, together with those of super().get_config(), "
    "and __init__ must take **kwargs and pass them to super().__init__(**kwargs). Then save the model again."
)


class ModelsFolderLoader(SourceLoader):
    """Loads a model of the source `file`, for inference (not compiled) and with maps in the order h, w, K."""

    source = "file"

    def load(self, entry: CatalogEntry, limits: ModelLimits) -> keras.Model:
        if entry.file is None:
            raise ModelLoadFailed(f"Model '{entry.name}' has no model file.")
        load = _load_keras if entry.file.suffix.lower() == ".keras" else _load_h5
        try:
            return to_channels_last(load(entry.file, limits))
        except ModelLoadFailed:
            raise
        except Exception as error:  # Keras raises errors of many classes for a broken file
            hint = _ARGUMENTS_OF_OWN_CLASSES if isinstance(error, TypeError) and limits.custom_objects else ""
            raise ModelLoadFailed(f"'{entry.file.name}' could not be loaded: {_cause(error, entry.file)}{hint}") from error


def _load_keras(path: Path, limits: ModelLimits) -> Any:
    text, keras_version = check_archive(path, limits)
    config = without_training_settings(read_config(text, path.name))
    if keras_version < 3:
        model = _build(convert_config(in_hdf5_form(config), path.name), model_from_hdf5_config, path.name, limits)
    else:
        model = _build(config, model_from_archive_config, path.name, limits)
    with path.open("rb") as file:
        load_archive_state(file, model, with_counted_layers if keras_version < 3 else None)
    return model


def _load_h5(path: Path, limits: ModelLimits) -> Any:
    check_file_size(path, limits)
    with open_hdf5(path, path.name) as file:
        check_hdf5(file, path.name, limits)
        text = file.attrs.get("model_config")
        if not isinstance(text, (str, bytes)) or not isinstance(file.get("model_weights"), h5py.Group):
            raise ModelLoadFailed(
                f"'{path.name}' holds no whole model. If it holds weights alone, name it in models.toml: weights = \"{path.name}\"."
            )
        config = without_training_settings(read_config(text, path.name))
        config = convert_config(config, path.name) if _keras_version(file) < 3 else with_operation_modules(config)
        model = _build(config, model_from_hdf5_config, path.name, limits)
        load_hdf5_weights(file["model_weights"], model)
    return model


def _build(config: dict[str, Any], build: Callable[[dict[str, Any], Mapping[str, Any]], Any], file_name: str, limits: ModelLimits) -> Any:
    """Return the model of a configuration whose classes and sizes have been checked."""
    custom = check_config(config, file_name, limits, import_custom_objects(limits.custom_objects))
    with declare_variables_only():  # without memory for weights
        declared = build(copy.deepcopy(config), custom)  # Keras empties the configuration that it is given
    _check_declared(declared, file_name, limits)
    return build(config, custom)


def _check_declared(model: Any, file_name: str, limits: ModelLimits) -> None:
    """Raise `ModelLoadFailed` if the object is no model, has no input shape or has too many parameters."""
    if not isinstance(model, keras.Model):
        raise ModelLoadFailed(f"'{file_name}' holds an object of the class {type(model).__name__}, not a model.")
    if not model.built:
        raise ModelLoadFailed(
            f"'{file_name}' holds a model without an input shape. Build it, or give it an Input layer, before you save it."
        )
    parameters = model.count_params()
    if parameters > limits.max_parameters:
        raise ModelLoadFailed(
            f"'{file_name}' has {parameters} parameters; at most {limits.max_parameters} are allowed.",
            allowed=str(limits.max_parameters),
            got=str(parameters),
        )


def _keras_version(file: h5py.File) -> int:
    version = file.attrs.get("keras_version", "2")
    text = version.decode() if isinstance(version, bytes) else str(version)
    return int(text.split(".")[0])


def _cause(error: Exception, path: Path) -> str:
    """Return Keras's message without its dump of the whole configuration and without the file's folder."""
    lines = [line.strip() for line in str(error).replace(str(path), path.name).splitlines() if line.strip()]
    message = next((line for line in reversed(lines) if line.startswith("Exception encountered")), lines[0] if lines else "")
    return f"{type(error).__name__}: {message[:500]}"
