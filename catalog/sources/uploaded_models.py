"""The model files that callers have uploaded. They lie in a folder of their own inside the models folder, which tells them apart."""

from __future__ import annotations

import re
from pathlib import Path

from catalog.entry import CatalogEntry
from catalog.errors import CatalogError
from catalog.settings_files import ModelTables
from catalog.sources.models_folder import KerasFiles
from schemas.models import MODEL_NAME_PATTERN

_DIGEST = re.compile(r"[0-9a-f]{16}")


def uploads_folder(models_dir: Path) -> Path:
    """Return the folder of the uploaded models."""
    return models_dir / "uploads"


def arrivals_folder(models_dir: Path) -> Path:
    """Return the folder of the files that are being received or checked. They are models only when they have left it."""
    return uploads_folder(models_dir) / ".arriving"


class UploadedModelsSource(KerasFiles):
    """List every `.keras` and `.h5` file that was uploaded.

    A model that was replaced by a file of the other format has both files for a moment. The newer one counts then.
    """

    name = "upload"
    suffixes = (".keras", ".h5")

    @property
    def folder(self) -> Path:
        return uploads_folder(self._models_dir)

    def files_by_name(self) -> dict[str, list[Path]]:
        return {name: [max(paths, key=_written)] for name, paths in super().files_by_name().items()}

    def entry_of(self, path: Path) -> CatalogEntry:
        """Return the entry of an uploaded file. It is the same before and after the file has left the folder of arrivals.

        Raises:
            CatalogError: the file's name or the settings beside the uploaded model are wrong.
            OSError: a file cannot be read.
        """
        return self._entry(path.stem, [path])


def arriving_entry(models_dir: Path, name: str, digest: str) -> CatalogEntry | None:
    """Return the version `digest` of the model `name` if its file has arrived and is being checked, otherwise None.

    Such a file lies in a folder that is called like its digest. So it is found without a look at what other folders hold, which a network
    file system may remember from before.
    """
    if not (_DIGEST.fullmatch(digest) and re.fullmatch(MODEL_NAME_PATTERN, name)):
        return None
    source = UploadedModelsSource(ModelTables(), models_dir)
    for suffix in source.suffixes:
        path = arrivals_folder(models_dir) / digest / f"{name}{suffix}"
        if path.is_file():
            try:
                entry = source.entry_of(path)
            except (CatalogError, OSError):
                continue
            if entry.digest == digest:
                return entry
    return None


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # it has just been removed
        return 0
