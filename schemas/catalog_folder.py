"""The catalogue as it is on disk now: read again when `models.toml` or the models folder has changed."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from schemas.catalog import Catalog, CatalogError, load_catalog

_Signature = tuple[tuple[str, int, int], ...]


class CatalogFolder:
    """`models.toml` and the models folder, looked at on each call and read again when a name, a size or a time has changed.

    A file that becomes wrong meanwhile leaves the last good catalogue in force, and is logged; at the start it raises `CatalogError`.
    """

    def __init__(self, models_file: Path, models_dir: Path) -> None:
        self._models_file, self._models_dir = models_file, models_dir
        self._signature = self._look()
        self._catalog = load_catalog(models_file, models_dir)

    def current(self) -> Catalog:
        signature = self._look()
        if signature != self._signature:
            self._signature = signature
            try:
                self._catalog = load_catalog(self._models_file, self._models_dir)
            except CatalogError as error:
                logging.getLogger(__name__).error("the last good catalogue stays in force: %s", error)
        return self._catalog

    def _look(self) -> _Signature:
        found: list[tuple[str, os.stat_result]] = []
        with contextlib.suppress(OSError), os.scandir(self._models_dir) as folder:
            for entry in folder:
                with contextlib.suppress(OSError):  # a link to nowhere
                    found.append((entry.name, entry.stat()))
        with contextlib.suppress(OSError):
            found.append(("", self._models_file.stat()))
        return tuple(sorted((name, status.st_size, status.st_mtime_ns) for name, status in found))
