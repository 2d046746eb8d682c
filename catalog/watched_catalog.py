"""The catalogue as it is on disk now, for processes that run while an operator adds and changes models."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from pathlib import Path

from catalog.catalog import Catalog, build_catalog
from catalog.entry import CatalogEntry
from catalog.errors import CatalogError
from catalog.settings_files import ModelTables, read_models_toml
from catalog.sources.uploaded_models import arriving_entry, uploads_folder
from schemas.errors import ModelChanged

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
                self._read(file_states)
            return self._catalog

    def has(self, name: str, digest: str) -> bool:
        """Tell whether there is the version `digest` of the model `name`, among the models or among the uploads that are being checked."""
        return self.current().has(name, digest) or arriving_entry(self._models_dir, name, digest) is not None

    def entry(self, name: str, digest: str) -> CatalogEntry:
        """Return the model's entry of the version `digest`, for which a request was checked. An empty digest stands for any version.

        That version may also be an uploaded file that has arrived and is being checked. Otherwise, if the version is not found, the files
        are read again at once, even if they look unchanged: a change can leave size and time as they were.

        Raises:
            ModelChanged: the files here hold another version of the model, or no such model, or one with a fault.
            UnknownModel: the digest is empty, and there is no such model.
            ModelLoadFailed: the digest is empty, and the model's settings or its file have a fault.
        """
        catalog = self.current()
        if digest and not catalog.has(name, digest):
            if (arriving := arriving_entry(self._models_dir, name, digest)) is not None:
                return arriving
            with self._lock:
                self._read(self._look())
                catalog = self._catalog
            if not catalog.has(name, digest):
                raise ModelChanged(_difference(name, catalog))
        return catalog.entry(name)

    def _read(self, file_states: _FileStates) -> None:
        self._tables = self._read_tables()
        self._catalog = self._load(self._tables)
        self._file_states = file_states  # last, so that a look that fails is made again

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
        found = _files_in(self._models_dir)
        # Files that are being uploaded lie in a hidden folder, and no catalogue depends on them.
        uploads = uploads_folder(self._models_dir)
        found += [(f"{uploads.name}/{name}", status) for name, status in _files_in(uploads) if not name.startswith(".")]
        with contextlib.suppress(OSError):
            found.append(("", self._models_file.stat()))
        for file in self._named_files:
            with contextlib.suppress(OSError):
                found.append((str(file), file.stat()))
        return tuple(sorted((name, status.st_size, status.st_mtime_ns) for name, status in found))


def _files_in(folder: Path) -> list[tuple[str, os.stat_result]]:
    """Return the name and the status of everything in a folder; nothing if there is no such folder."""
    found: list[tuple[str, os.stat_result]] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # a broken symbolic link has no status
                found.append((entry.name, entry.stat()))
    return found


def _difference(name: str, catalog: Catalog) -> str:
    if name in catalog:
        found = f"Model '{name}' has another version on the worker than the one that this request was checked against."
    elif name in catalog.unusable:
        found = f"Model '{name}' cannot be used on the worker: {catalog.unusable[name].reason}"
    else:
        found = f"The service has model '{name}', and the worker does not have it yet."
    return (
        f"{found} Its files have probably just changed, so the same request can succeed shortly. If it does not, the service and the "
        "workers read different folders: CONVSCOPE_MODELS_DIR and CONVSCOPE_MODELS_FILE must lead all of them to the same files, with "
        "the same modification times."
    )
