"""The catalogue as it is on disk now: read again when `models.toml`, the models folder or a file that they name has changed."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from catalog.entries import Catalog, CatalogError, load_catalog

_Signature = tuple[tuple[str, int, int], ...]


class CatalogFolder:
    """`models.toml` and the models folder, looked at on each call and read again when a name, a size or a time has changed.

    A file that becomes wrong meanwhile leaves the last good catalogue in force, and is logged; at the start it raises `CatalogError`.
    """

    def __init__(self, models_file: Path, models_dir: Path) -> None:
        self._models_file, self._models_dir = models_file, models_dir
        self._named: frozenset[Path] = frozenset()
        self._signature = self._look()
        self._catalog = self._load()

    def current(self) -> Catalog:
        signature = self._look()
        if signature != self._signature:
            self._signature = signature
            try:
                self._catalog = self._load()
            except CatalogError as error:
                logging.getLogger(__name__).error("the last good catalogue stays in force: %s", error)
        return self._catalog

    def _load(self) -> Catalog:
        """The catalogue, and which files in subfolders it names. They are looked at from the next call on, and make it read the
        catalogue once more: so no change of theirs meanwhile is missed."""
        catalog = load_catalog(self._models_file, self._models_dir)
        files = (file for entry in catalog.values() for file in (entry.labels, entry.weights) if isinstance(file, Path))
        self._named = frozenset(file for file in files if file.parent != self._models_dir.resolve())
        return catalog

    def _look(self) -> _Signature:
        found: list[tuple[str, os.stat_result]] = []
        with contextlib.suppress(OSError), os.scandir(self._models_dir) as folder:
            for entry in folder:
                with contextlib.suppress(OSError):  # a link to nowhere
                    found.append((entry.name, entry.stat()))
        with contextlib.suppress(OSError):
            found.append(("", self._models_file.stat()))
        for file in self._named:
            with contextlib.suppress(OSError):
                found.append((str(file), file.stat()))
        return tuple(sorted((name, status.st_size, status.st_mtime_ns) for name, status in found))
