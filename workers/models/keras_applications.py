"""`keras.applications` by name, with ImageNet, random or local weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from catalog.entries import KERAS_APPLICATIONS, CatalogEntry
from schemas.errors import ModelLoadFailed
from workers.models.archive_guard import check_archive
from workers.models.downloads import limit_silence, one_at_a_time
from workers.models.hdf5_guard import check_hdf5_file
from workers.models.labels import read_labels
from workers.models.limits import ModelLimits
from workers.models.random_weights import build_seeded

IMAGENET_CLASSES = 1000


def build_application(entry: CatalogEntry, limits: ModelLimits) -> keras.Model:
    """The architecture of `entry` with the weights it names. Never untrained unless it says `random`.

    Raises:
        ModelLoadFailed: the download failed, the weights do not fit, or the architecture does not take the input size.
    """
    if entry.weights == "imagenet":
        with one_at_a_time(f"weights-{entry.architecture}"):
            limit_silence()
            return _build(entry, weights="imagenet")
    classes = _classes(entry)
    if isinstance(entry.weights, Path):
        model = _build(entry, weights=None, classes=classes)
        _read_weights(model, entry.weights, limits)
        return model
    return build_seeded(lambda: _build(entry, weights=None, classes=classes), entry.name)


def _build(entry: CatalogEntry, **arguments: Any) -> keras.Model:
    class_name, side, _ = KERAS_APPLICATIONS[entry.architecture or entry.name]
    height, width = entry.input_size or (side, side)
    try:
        return getattr(keras.applications, class_name)(input_shape=(height, width, 3), **arguments)
    except Exception as error:  # `keras.utils.get_file` raises bare Exception for a failed download
        hint = ""
        if arguments["weights"] == "imagenet":
            hint = f" ImageNet weights are downloaded; without a network give [{entry.name}] in models.toml a weights file, or 'random'."
        raise ModelLoadFailed(f"Model '{entry.name}' ({class_name}) could not be built: {error}.{hint}") from error


def _classes(entry: CatalogEntry) -> int:
    """As many as there are labels, where a file names them: a fine-tuned head has its own number."""
    if not isinstance(entry.labels, Path):
        return IMAGENET_CLASSES
    return len(read_labels(entry.labels))


def _read_weights(model: keras.Model, file: Path, limits: ModelLimits) -> None:
    if file.suffix.lower() == ".keras":
        check_archive(file, limits)
    else:
        check_hdf5_file(file, limits)
    try:
        model.load_weights(file)
    except Exception as error:  # whatever a file with other layers or shapes makes Keras stumble over
        told = str(error).replace(str(file), file.name)
        raise ModelLoadFailed(
            f"Weights file '{file.name}' does not fit {model.name}: {told} (a head of other than 1,000 classes needs its labels file.)"
        ) from error
