"""The catalogue: every model that callers can ask for.

The service reads it to list and refuse models, the workers read it to load them. Nothing here needs TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from catalog.entry import CatalogEntry
from catalog.settings_files import ModelTables, read_models_toml
from catalog.sources import MODEL_SOURCES
from catalog.unusable import UnusableModel
from schemas.errors import ModelLoadFailed, UnknownModel
from schemas.nearest_names import nearest_hint, nearest_names


class Catalog(Mapping[str, CatalogEntry]):
    """The models that callers can ask for, by name. A caller's text is only ever looked up here; it never becomes a path.

    `unusable` are the models that have a fault, by name. They are not among the entries.
    """

    def __init__(self, entries: Mapping[str, CatalogEntry], unusable: Iterable[UnusableModel] = ()) -> None:
        self._entries = dict(entries)
        self.unusable: Mapping[str, UnusableModel] = {each.name: each for each in unusable}

    def __getitem__(self, name: str) -> CatalogEntry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def has(self, name: str, digest: str) -> bool:
        """Tell whether the catalogue has the version `digest` of the model `name`."""
        return name in self._entries and self._entries[name].digest == digest

    def entry(self, name: str, pointer: str | None = "/model") -> CatalogEntry:
        """Return the entry of the model `name`. `pointer` is the JSON pointer of that name in the request, for the error.

        Raises:
            UnknownModel: there is no such model; the error has the nearest names.
            ModelLoadFailed: there is such a model, but its settings or its file have a fault; the error has the reason.
        """
        try:
            return self._entries[name]
        except KeyError:
            pass
        if name in self.unusable:
            raise ModelLoadFailed(f"Model '{name}' cannot be used. {self.unusable[name].reason}", pointer=pointer, got=name)
        nearest = nearest_names(name, self._entries)
        raise UnknownModel(
            f"There is no model '{name}'.{nearest_hint(nearest)} See /v1/models.", pointer=pointer, got=name, nearest=nearest
        )


def load_catalog(models_file: Path, models_dir: Path) -> Catalog:
    """Return the models of every source. `models.toml` (`models_file`) and the models folder (`models_dir`) may be missing.

    A model with a fault is in the catalogue as unusable, with the reason.

    Raises:
        CatalogError: `models.toml` as a whole cannot be read, so it is not known which models it sets.
    """
    return build_catalog(read_models_toml(models_file), models_dir)


def build_catalog(models_toml: ModelTables, models_dir: Path) -> Catalog:
    """Return the models of every source, with the tables of `models.toml` already read."""
    entries: dict[str, CatalogEntry] = {}
    unusable: dict[str, UnusableModel] = {}
    for source_class in MODEL_SOURCES:
        for found in source_class(models_toml, models_dir).entries():
            if found.name in {*entries, *unusable} and not source_class.replaces_entries:
                clash = _name_is_taken(found)
                unusable[clash.name] = clash
            elif isinstance(found, UnusableModel):
                entries.pop(found.name, None)
                unusable[found.name] = found
            else:
                entries[found.name] = found
    return Catalog(entries, unusable.values())


def _name_is_taken(found: CatalogEntry | UnusableModel) -> UnusableModel:
    """Return the later one of two models of one name as unusable. It is listed by its file's name, because the other one keeps the name."""
    file_name = found.file.name if isinstance(found, CatalogEntry) and found.file else found.title
    reason = f"{file_name}: another source has a model that is called '{found.name}' too. Rename one of them."
    return UnusableModel(name=file_name, source=found.source, title=found.title, reason=reason)
