"""The model files in the operator's models folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from catalog.entry import CatalogEntry
from catalog.errors import CatalogError
from catalog.model_settings import labels_inside
from catalog.settings_files import check_model_name, read_side_file
from catalog.sources.base import ModelSource
from catalog.sources.other_formats import why_unusable
from catalog.unusable import UnusableModel

MODEL_FILE_SUFFIXES = (".keras", ".h5", ".hdf5")


class ModelsFolderSource(ModelSource):
    """List every `.keras`, `.h5` and `.hdf5` file of the models folder.

    SavedModel folders, and weights files that `models.toml` does not name, are listed as unusable, because their owner expects a model.
    """

    name = "file"

    def entries(self) -> Iterator[CatalogEntry | UnusableModel]:
        files: dict[str, list[Path]] = {}
        others: dict[str, str] = {}
        used_weights = self._used_weights()
        for path in sorted(self._models_dir.glob("*")) if self._models_dir.is_dir() else ():
            if _is_model_file(path):
                files.setdefault(path.stem, []).append(path)
            elif reason := why_unusable(path, used_weights):
                others[path.name] = reason
        for name, paths in files.items():
            try:
                yield self._entry(name, paths)
            except (CatalogError, OSError) as error:
                yield self.unusable(name, ", ".join(path.name for path in paths), error)

        for name, reason in others.items():
            if name not in files:  # a folder beside the model file that was made of it
                yield self.unusable(name, name, CatalogError(reason))

    def _used_weights(self) -> set[str]:
        """Return the names of the weights files in `models.toml`, also of those in a table that has a fault."""
        tables = (cast("Mapping[str, object]", table) for table in self._models_toml.tables.values() if isinstance(table, Mapping))
        return {Path(str(table["weights"])).name for table in tables if "weights" in table}

    def _entry(self, name: str, paths: list[Path]) -> CatalogEntry:
        path = paths[0]
        if len(paths) > 1:
            listed = " and ".join(path.name for path in paths)
            raise CatalogError(f"The files {listed} are all called '{name}'. A model has one file: rename or remove the others.")
        check_model_name(name, path.name)
        settings = read_side_file(path.with_suffix(".toml"))
        labels = labels_inside(path.parent, settings.labels, name)
        return CatalogEntry(
            name=name,
            source=self.name,
            title=settings.title or path.name,
            architecture=None,
            file=path.resolve(),
            weights=None,
            input_size=settings.input_size,
            preprocessing=settings.preprocessing_or("none"),
            labels=labels,
            default_layer=settings.default_layer,
            head=settings.head,
            input=settings.input,
            inputs=settings.inputs,
            digest=settings.digest(path, labels),
        )


def _is_model_file(path: Path) -> bool:
    weights_alone = path.name.lower().endswith(".weights.h5")
    return path.suffix.lower() in MODEL_FILE_SUFFIXES and not weights_alone and path.is_file()
