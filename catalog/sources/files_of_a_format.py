"""The base class of a source that lists the files of one format in the models folder."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from catalog.entry import CatalogEntry
from catalog.errors import CatalogError
from catalog.model_settings import ModelSettings, labels_inside
from catalog.settings_files import check_model_name, read_side_file
from catalog.sources.base import ModelSource
from catalog.unusable import UnusableModel


class FilesOfAFormat(ModelSource):
    """List every file of the models folder that ends in one of `suffixes`, which are written in lower case."""

    suffixes: ClassVar[tuple[str, ...]]

    def entries(self) -> Iterator[CatalogEntry | UnusableModel]:
        for name, paths in self.files_by_name().items():
            try:
                yield self._entry(name, paths)
            except (CatalogError, OSError) as error:
                yield self.unusable(name, ", ".join(path.name for path in paths), error)

    @abstractmethod
    def check_settings(self, settings: ModelSettings, file_name: str) -> None:
        """Raise `CatalogError` if the side file `file_name` has a setting that a file of this format cannot have."""

    def is_model_file(self, path: Path) -> bool:
        """Return whether a path in the models folder is a file of this format."""
        return path.suffix.lower() in self.suffixes and path.is_file()

    @property
    def folder(self) -> Path:
        """The folder that is listed."""
        return self._models_dir

    def paths(self) -> list[Path]:
        """Return everything in the folder, sorted."""
        return sorted(self.folder.glob("*")) if self.folder.is_dir() else []

    def files_by_name(self) -> dict[str, list[Path]]:
        """Return the model files by the names of their models."""
        files: dict[str, list[Path]] = {}
        for path in self.paths():
            if self.is_model_file(path):
                files.setdefault(path.stem, []).append(path)
        return files

    def _entry(self, name: str, paths: list[Path]) -> CatalogEntry:
        path = paths[0]
        if len(paths) > 1:
            listed = " and ".join(path.name for path in paths)
            raise CatalogError(f"The files {listed} are all called '{name}'. A model has one file: rename or remove the others.")
        check_model_name(name, path.name)
        side_file = self.folder / f"{name}.toml"
        settings = read_side_file(side_file)
        self.check_settings(settings, side_file.name)
        labels = labels_inside(self._models_dir, settings.labels, name)
        return CatalogEntry(
            name=name,
            source=self.name,
            title=settings.title or path.name,
            architecture=None,
            file=path.resolve(),
            weights=None,
            input_size=settings.input_size,
            preprocessing=settings.preprocessing_or("none"),
            longest_side=settings.longest_side,
            labels=labels,
            default_layer=settings.default_layer,
            head=settings.head,
            input=settings.input,
            inputs=settings.inputs,
            layout=settings.layout,
            digest=settings.digest(path, labels),
        )
