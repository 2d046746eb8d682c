"""A catalogue entry as a Keras model."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras

from catalog.entries import CatalogEntry
from schemas.errors import ModelLoadFailed
from workers.models.efficientnet_lite0 import efficientnet_lite0
from workers.models.files import load_file
from workers.models.keras_applications import build_application
from workers.models.limits import ModelLimits
from workers.models.torch_pickle import TorchPickleError

_BUILT_IN = {"efficientnet_lite0": efficientnet_lite0}


def load_model(entry: CatalogEntry, limits: ModelLimits | None = None) -> keras.Model:
    """The model that `entry` names, with its weights.

    Loaded in a thread of its own: Keras keeps the counters that make `conv2d_3`, the dtype policy and its scopes by thread,
    so that names are the same at every load and models being loaded side by side do not mix.

    Raises:
        ModelLoadFailed: with the cause.
    """
    with ThreadPoolExecutor(1, thread_name_prefix=f"load-{entry.name}") as thread:
        return thread.submit(_load, entry, limits or ModelLimits()).result()


def _load(entry: CatalogEntry, limits: ModelLimits) -> keras.Model:
    keras.config.disable_interactive_logging()  # a download's progress bar, on standard output
    if entry.source == "keras_applications":
        return build_application(entry, limits)
    if entry.file is not None:
        return load_file(entry.file, limits)
    try:
        return _BUILT_IN[entry.name]()
    except (ImportError, TorchPickleError) as error:
        raise ModelLoadFailed(f"Model '{entry.name}' could not be built: {error}") from error
