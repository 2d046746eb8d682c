"""Load models of `keras.applications` with ImageNet, random or local weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from catalog.entry import CatalogEntry
from catalog.keras_architectures import KERAS_APPLICATIONS
from schemas.errors import ModelLoadFailed, ModelLoadInterrupted, VisualizationError
from workers.engine.keras_internals import load_archive_weights, load_hdf5_weights
from workers.models.labels import read_labels
from workers.models.limits import ModelLimits
from workers.models.loaders.base import SourceLoader
from workers.models.reading.read_file import read_model_file
from workers.models.weights.downloads import bound_downloads, one_at_a_time
from workers.models.weights.random_weights import build_seeded

IMAGENET_CLASSES = 1000


class KerasApplicationsLoader(SourceLoader):
    """Builds a model of the source `keras_applications` with the weights that its entry names.

    A model is untrained only if its entry says `random`. If weights cannot be had, `load` raises `ModelLoadFailed`.
    """

    source = "keras_applications"

    def load(self, entry: CatalogEntry, limits: ModelLimits) -> keras.Model:
        if entry.weights == "imagenet":
            with one_at_a_time(f"weights-{entry.architecture}"):
                bound_downloads(limits)
                return _build(entry, weights="imagenet")
        classes = _classes(entry)
        if isinstance(entry.weights, Path):
            model = _build(entry, weights=None, classes=classes)
            _read_weights(model, entry.weights, limits)
            return model
        return build_seeded(lambda: _build(entry, weights=None, classes=classes), entry.name)


def _build(entry: CatalogEntry, **arguments: Any) -> keras.Model:
    architecture = KERAS_APPLICATIONS[entry.architecture or entry.name]
    height, width = entry.input_size or (architecture.side, architecture.side)
    try:
        return getattr(keras.applications, architecture.class_name)(input_shape=(height, width, 3), **arguments)
    except ModelLoadFailed:  # the download goes beyond a limit
        raise
    except Exception as error:  # `keras.utils.get_file` raises bare Exception for a failed download
        hint, kind = "", ModelLoadFailed
        if arguments["weights"] == "imagenet":
            kind = ModelLoadFailed if isinstance(error, (TypeError, ValueError)) else ModelLoadInterrupted
            hint = (
                " ImageNet weights are downloaded. If there is no network, "
                f"set weights to a weights file or 'random' in [{entry.name}] of models.toml."
            )
        raise kind(f"Model '{entry.name}' ({architecture.class_name}) could not be built: {error}.{hint}") from error


def _classes(entry: CatalogEntry) -> int:
    """Return the number of lines of the entry's labels file. A fine-tuned model has its own number of classes."""
    if not isinstance(entry.labels, Path):
        return IMAGENET_CLASSES
    return len(read_labels(entry.labels))


def _read_weights(model: keras.Model, file: Path, limits: ModelLimits) -> None:
    archive = file.name.lower().endswith((".keras", ".weights.h5"))
    try:
        with read_model_file(file, limits) as stored, stored.weights() as weights:
            if archive:
                load_archive_weights(weights, model)
            else:
                load_hdf5_weights(weights if "layer_names" in weights.attrs else weights["model_weights"], model)
    except VisualizationError:
        raise
    except Exception as error:  # Keras has no error class of its own for a file with other layers or shapes
        cause = str(error).replace(str(file), file.name)
        raise ModelLoadFailed(
            f"The weights file '{file.name}' does not fit {model.name}: {cause} "
            "If the model does not have 1,000 classes, set labels to a file with one label per class."
        ) from error
