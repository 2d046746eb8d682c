"""The base class of a source of models. To add a source, write one subclass in this package and one loader in `workers/models/loaders`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from catalog.entry import CatalogEntry
from catalog.errors import CatalogError
from catalog.settings_files import ModelTables
from catalog.unusable import UnusableModel, printable
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

    def __init__(self, models_toml: ModelTables, models_dir: Path) -> None:
        self._models_toml, self._models_dir = models_toml, models_dir

    @abstractmethod
    def entries(self) -> Iterator[CatalogEntry | UnusableModel]:
        """Yield one entry per model. Yield `unusable(…)` for a model whose settings or file are wrong; one fault spoils one model."""

    def unusable(self, name: str, title: str, error: CatalogError | OSError) -> UnusableModel:
        """Return the model as unusable because of `error`. An operating system's error is told without its path."""
        reason = str(error) if isinstance(error, CatalogError) else f"{title} cannot be read: {error.strerror}."
        return UnusableModel(name=printable(name), source=self.name, title=printable(title), reason=printable(reason))
