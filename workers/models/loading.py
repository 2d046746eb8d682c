"""Turn a catalogue entry into a model that is ready to be described and asked."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import keras

from catalog.entry import CatalogEntry
from workers.engine.forward_only.network import ForwardNetwork
from workers.models.limits import ModelLimits
from workers.models.loaders import MODEL_LOADERS

_OTHER_CALLS = 2000  # Python's own limit is 1000


def load_model(entry: CatalogEntry, limits: ModelLimits | None = None) -> keras.Model | ForwardNetwork:
    """Return the model of `entry` with its weights, loaded by the loader of its source: a Keras model, or a network that can only be run.

    Each model is loaded in a thread of its own. Keras keeps the counters that make names like `conv2d_3`, the dtype policy and its
    scopes per thread. So the names are the same at every load, and models that load at the same time do not mix.

    Raises:
        ModelLoadFailed: the model cannot be loaded; the error has the cause.
    """
    limits = limits or ModelLimits()
    # Keras goes through a graph with one call of a function for each layer of a chain. These calls are all in Python and take no stack.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), limits.max_layers + _OTHER_CALLS))
    with ThreadPoolExecutor(1, thread_name_prefix=f"load-{entry.name}") as thread:
        return thread.submit(_load, entry, limits).result()


def _load(entry: CatalogEntry, limits: ModelLimits) -> keras.Model | ForwardNetwork:
    keras.config.disable_interactive_logging()  # otherwise a download prints a progress bar on standard output
    return MODEL_LOADERS[entry.source].load(entry, limits)
