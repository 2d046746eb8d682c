"""The catalogue as it is on disk now, for processes that run while an operator adds and changes models."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from catalog.catalog import Catalog, load_catalog
from catalog.errors import CatalogError

# Name or path, size in bytes and modification time in nanoseconds of each file that the catalogue depends on.
_FileStates = tuple[tuple[str, int, int], ...]


class WatchedCatalog:
    """Read the catalogue again when `models.toml`, the models folder or a file that they name has changed.

    If a changed file is wrong, the error is logged and the last good catalogue stays in force.

    Raises:
        CatalogError: a file is wrong at the start, when there is no good catalogue yet.
    """

    def __init__(self, models_file: Path, models_dir: Path) -> None:
        self._models_file, self._models_dir = models_file, models_dir
        self._named_files: frozenset[Path] = frozenset()
        self._file_states = self._look()
        self._catalog = self._load()

    def current(self) -> Catalog:
        """Return the catalogue. The call looks at the files' names, sizes and times, and reads them only if one has changed."""
        file_states = self._look()
        if file_states != self._file_states:
            self._file_states = file_states
            try:
                self._catalog = self._load()
            except CatalogError as error:
                logging.getLogger(__name__).error("The new catalogue is wrong; the last good one stays in force. %s", error)
        return self._catalog

    def _load(self) -> Catalog:
        """Load the catalogue, and note the files outside the folder's top level that it names.

        The first look after this call includes those files and so differs from the look before it. The catalogue is then read once
        more, so a change of these files in between is not missed.
        """
        catalog = load_catalog(self._models_file, self._models_dir)
        files = (file for entry in catalog.values() for file in (entry.labels, entry.weights) if isinstance(file, Path))
        self._named_files = frozenset(file for file in files if file.parent != self._models_dir.resolve())
        return catalog

    def _look(self) -> _FileStates:
        found: list[tuple[str, os.stat_result]] = []
        with contextlib.suppress(OSError), os.scandir(self._models_dir) as folder:
            for entry in folder:
                with contextlib.suppress(OSError):  # a broken symbolic link has no status
                    found.append((entry.name, entry.stat()))
        with contextlib.suppress(OSError):
            found.append(("", self._models_file.stat()))
        for file in self._named_files:
            with contextlib.suppress(OSError):
                found.append((str(file), file.stat()))
        return tuple(sorted((name, status.st_size, status.st_mtime_ns) for name, status in found))
