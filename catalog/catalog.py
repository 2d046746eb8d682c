"""The catalogue: every model that callers can ask for.

The service reads it to list and refuse models, the workers read it to load them. Nothing here needs TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from catalog.entry import CatalogEntry
from catalog.errors import CatalogError
from catalog.sources import MODEL_SOURCES
from schemas.errors import UnknownModel, nearest_hint, nearest_names


class Catalog(Mapping[str, CatalogEntry]):
    """The models that callers can ask for, by name. A caller's text is only ever looked up here; it never becomes a path."""

    def __init__(self, entries: Mapping[str, CatalogEntry]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> CatalogEntry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, name: str, pointer: str | None = "/model") -> CatalogEntry:
        """Return the entry of the model `name`. `pointer` is the JSON pointer of that name in the request, for the error.

        Raises:
            UnknownModel: there is no such model; the error has the nearest names.
        """
        try:
            return self._entries[name]
        except KeyError:
            nearest = nearest_names(name, self._entries)
            raise UnknownModel(
                f"There is no model '{name}'.{nearest_hint(nearest)} See /v1/models.", pointer=pointer, got=name, nearest=nearest
            ) from None


def load_catalog(models_file: Path, models_dir: Path) -> Catalog:
    """Return the models of every source. `models.toml` (`models_file`) and the models folder (`models_dir`) may be missing.

    Raises:
        CatalogError: a settings file is not valid, or two models have the same name.
    """
    entries: dict[str, CatalogEntry] = {}
    for source_class in MODEL_SOURCES:
        for entry in source_class(models_file, models_dir).entries():
            if entry.name in entries and not source_class.replaces_entries:
                raise _same_name(entries[entry.name], entry)
            entries[entry.name] = entry
    return Catalog(entries)


def _same_name(first: CatalogEntry, second: CatalogEntry) -> CatalogError:
    where = [f"the file {entry.file.name}" if entry.file else f"the source {entry.source}" for entry in (first, second)]
    return CatalogError(f"Two models are called '{second.name}': one is from {where[0]}, one from {where[1]}. Rename one of them.")
