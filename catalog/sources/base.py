"""The base class of a source of models. To add a source, write one subclass in this package and one loader in `workers/models/loaders`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from catalog.entry import CatalogEntry
from schemas.models import ModelSourceName


class ModelSource(ABC):
    """A place that models come from. It lists the models; the worker's loader with the same source name loads them.

    Example: a source with one model.

        class FrogSource(ModelSource):
            name = "frogs"

            def entries(self) -> Iterator[CatalogEntry]:
                yield CatalogEntry(name="frog_net", source=self.name, title="Frogs", …)
    """

    name: ClassVar[ModelSourceName]
    # If true, an entry may replace an entry of the same name that an earlier source listed. If false, that is an error.
    replaces_entries: ClassVar[bool] = False

    def __init__(self, models_file: Path, models_dir: Path) -> None:
        self._models_file, self._models_dir = models_file, models_dir

    @abstractmethod
    def entries(self) -> Iterator[CatalogEntry]:
        """Yield one entry per model.

        Raises:
            CatalogError: the operator's settings of a model are wrong.
        """
