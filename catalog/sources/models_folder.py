"""The Keras model files in the operator's models folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from catalog.entry import CatalogEntry
from catalog.errors import CatalogError
from catalog.model_settings import ModelSettings
from catalog.sources.files_of_a_format import FilesOfAFormat
from catalog.sources.other_formats import why_unusable
from catalog.unusable import UnusableModel


class KerasFiles(FilesOfAFormat):
    """The files that hold a whole Keras model. Weights alone are none."""

    def is_model_file(self, path: Path) -> bool:
        weights_alone = path.name.lower().endswith(".weights.h5")
        return super().is_model_file(path) and not weights_alone

    def check_settings(self, settings: ModelSettings, file_name: str) -> None:
        if settings.layout is not None:
            raise CatalogError(
                f"{file_name} sets layout, which is allowed beside .onnx and .tflite files only. A Keras file says it itself."
            )


class ModelsFolderSource(KerasFiles):
    """List every `.keras`, `.h5` and `.hdf5` file of the models folder.

    SavedModel folders, and weights files that `models.toml` does not name, are listed as unusable, because their owner expects a model.
    """

    name = "file"
    suffixes = (".keras", ".h5", ".hdf5")

    def entries(self) -> Iterator[CatalogEntry | UnusableModel]:
        yield from super().entries()
        used_weights = self._used_weights()
        with_files = self.files_by_name()
        for path in self.paths():
            reason = None if self.is_model_file(path) else why_unusable(path, used_weights)
            if reason and path.name not in with_files:  # otherwise it is a folder beside the model file that was made of it
                yield self.unusable(path.name, path.name, CatalogError(reason))

    def _used_weights(self) -> set[str]:
        """Return the names of the weights files in `models.toml`, also of those in a table that has a fault."""
        tables = (cast("Mapping[str, object]", table) for table in self._models_toml.tables.values() if isinstance(table, Mapping))
        return {Path(str(table["weights"])).name for table in tables if "weights" in table}
