"""The base class of a loader. Each source of models in `catalog/sources` needs one loader here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import keras

from catalog.entry import CatalogEntry
from schemas.models import ModelSourceName
from workers.engine.forward_only.network import ForwardNetwork
from workers.models.limits import ModelLimits


class SourceLoader(ABC):
    """Loads the models that one source lists.

    Example:

        class FrogLoader(SourceLoader):
            source = "frogs"

            def load(self, entry: CatalogEntry, limits: ModelLimits) -> keras.Model:
                return build_frog_net()
    """

    source: ClassVar[ModelSourceName]

    @abstractmethod
    def load(self, entry: CatalogEntry, limits: ModelLimits) -> keras.Model | ForwardNetwork:
        """Return the model of `entry` with its weights: a Keras model, or a network that can only be run.

        Everything that comes from a file keeps to `limits`.

        Raises:
            ModelLoadFailed: the model cannot be loaded; the error has the cause.
        """
