"""Load the model files of the models folder: `.keras` and `.h5` of Keras 3 or Keras 2.

A file is not trusted. Everything that it claims is checked before it is built or read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed, VisualizationError
from workers.engine.keras_internals import (
    declare_variables_only,
    load_archive_weights,
    load_hdf5_weights,
    model_from_archive_config,
    model_from_hdf5_config,
)
from workers.models.conversion.channels_first import to_channels_last
from workers.models.conversion.keras2_archive import count_layers_without_gaps, in_hdf5_form
from workers.models.conversion.keras2_config import convert_config
from workers.models.conversion.keras3_operations import with_operation_modules
from workers.models.conversion.subclassed_models import with_open_models
from workers.models.conversion.training_settings import without_training_settings
from workers.models.custom_objects import import_custom_objects
from workers.models.guards.configuration import check_config
from workers.models.limits import ModelLimits
from workers.models.loaders.base import SourceLoader
from workers.models.reading.read_file import read_model_file
from workers.models.reading.stored_model import StoredModel
from workers.models.weights.blank_weights import draw_blank

# A model may have a few values that its file does not list as weights of a layer.
_SPARE_VALUES = 1_000_000

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
        try:
            return to_channels_last(with_open_models(_load(entry.file, limits), entry.file.name))
        except VisualizationError:
            raise
        except Exception as error:  # Keras raises errors of many classes for a broken file
            hint = _ARGUMENTS_OF_OWN_CLASSES if isinstance(error, TypeError) and limits.custom_objects else ""
            raise ModelLoadFailed(f"'{entry.file.name}' could not be loaded: {_cause(error, entry.file)}{hint}") from error


class UploadedModelsLoader(ModelsFolderLoader):
    """Loads a model of the source `upload`, with the same checks as a file of the operator's."""

    source = "upload"


def _load(path: Path, limits: ModelLimits) -> Any:
    with read_model_file(path, limits) as stored:
        archive = path.suffix.lower() == ".keras"
        if stored.config is None or not (archive or "model_weights" in stored.table["groups"]):
            raise ModelLoadFailed(
                f"'{path.name}' holds no whole model. If it holds weights alone, name it in models.toml: weights = \"{path.name}\"."
            )
        config = without_training_settings(json.loads(stored.config))
        build = model_from_hdf5_config
        if stored.keras_version < 3:
            config = convert_config(in_hdf5_form(config) if archive else config, path.name)
        elif archive:
            build = model_from_archive_config
        else:
            config = with_operation_modules(config)
        model = _declared(config, build, path.name, limits)
        _check_number_of_values(stored, model, path.name)
        draw_blank(model)
        with stored.weights() as weights:
            if archive and stored.keras_version < 3:
                count_layers_without_gaps(weights)
            if archive:
                load_archive_weights(weights, model)
            else:
                load_hdf5_weights(weights["model_weights"], model)
    return model


def _declared(
    config: dict[str, Any], build: Callable[[dict[str, Any], Mapping[str, Any]], Any], file_name: str, limits: ModelLimits
) -> Any:
    """Return the model of a configuration whose classes and sizes are checked. Its variables have no values and take no memory."""
    custom = check_config(config, file_name, limits, import_custom_objects(limits.custom_objects))
    with declare_variables_only():
        model = build(config, custom)
    _check_declared(model, file_name, limits)
    return model


def _check_number_of_values(stored: StoredModel, model: Any, file_name: str) -> None:
    """Raise `ModelLoadFailed` if the file has far more values than the model, so that they are not read for nothing."""
    expected = sum(math.prod(variable.shape) for variable in model.variables)
    if stored.number_count > 2 * expected + _SPARE_VALUES:
        raise ModelLoadFailed(f"'{file_name}' holds {stored.number_count} values of weights, but its model has {expected}.")


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


def _cause(error: Exception, path: Path) -> str:
    """Return Keras's message without its dump of the whole configuration and without the file's folder."""
    lines = [line.strip() for line in str(error).replace(str(path), path.name).splitlines() if line.strip()]
    message = next((line for line in reversed(lines) if line.startswith("Exception encountered")), lines[0] if lines else "")
    return f"{type(error).__name__}: {message[:500]}"
