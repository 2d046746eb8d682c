"""Load the models that this project brings with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed
from workers.models.efficientnet_lite0 import efficientnet_lite0
from workers.models.limits import ModelLimits
from workers.models.loaders.base import SourceLoader
from workers.models.weights.torch_pickle import TorchPickleError

# One function for each model that `catalog/sources/builtin.py` lists.
BUILT_IN_MODELS: Mapping[str, Callable[[], keras.Model]] = {"efficientnet_lite0": efficientnet_lite0}


class BuiltInLoader(SourceLoader):
    """Builds a model of the source `builtin`."""

    source = "builtin"

    def load(self, entry: CatalogEntry, limits: ModelLimits) -> keras.Model:
        try:
            return BUILT_IN_MODELS[entry.name]()
        except (ImportError, TorchPickleError) as error:
            raise ModelLoadFailed(f"Model '{entry.name}' could not be built: {error}") from error
