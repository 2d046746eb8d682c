"""The catalogue as it is on disk now, for processes that run while an operator adds and changes models."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from pathlib import Path

from catalog.catalog import Catalog, build_catalog
from catalog.errors import CatalogError
from catalog.settings_files import ModelTables, read_models_toml

# Name or path, size in bytes and modification time in nanoseconds of each file that the catalogue depends on.
_FileStates = tuple[tuple[str, int, int], ...]


class WatchedCatalog:
    """Read the catalogue again when `models.toml`, the models folder or a file that they name has changed.

    A model with a fault is unusable, and the others change as the files do. If `models.toml` as a whole can no longer be read, the error
    is logged and its last good tables stay in force. Thread-safe. `current` reads the disk, so an event loop calls it on a thread.

    Raises:
        CatalogError: `models.toml` as a whole cannot be read at the start, when there are no good tables yet.
    """

    def __init__(self, models_file: Path, models_dir: Path) -> None:
        self._models_file, self._models_dir = models_file, models_dir
        self._lock = threading.Lock()
        self._named_files: frozenset[Path] = frozenset()
        self._file_states = self._look()
        self._tables = read_models_toml(models_file)
        self._catalog = Catalog({})
        self._catalog = self._load(self._tables)

    def current(self) -> Catalog:
        """Return the catalogue. The call looks at the files' names, sizes and times, and reads them only if one has changed."""
        with self._lock:
            file_states = self._look()
            if file_states != self._file_states:
                self._tables = self._read_tables()
                self._catalog = self._load(self._tables)
                self._file_states = file_states  # last, so that a look that fails is made again
            return self._catalog

    def _read_tables(self) -> ModelTables:
        try:
            return read_models_toml(self._models_file)
        except CatalogError as error:
            logging.getLogger(__name__).error("models.toml is wrong; its last good tables stay in force. %s", error)
            return self._tables

    def _load(self, tables: ModelTables) -> Catalog:
        """Load the catalogue, and note the files outside the folder's top level that it names.

        The first look after this call includes those files and so differs from the look before it. The catalogue is then read once
        more, so a change of these files in between is not missed.
        """
        catalog = build_catalog(tables, self._models_dir)
        for name, model in catalog.unusable.items():
            if model != self._catalog.unusable.get(name):
                logging.getLogger(__name__).warning("Model '%s' cannot be used. %s", name, model.reason)
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
