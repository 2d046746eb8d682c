"""Check a `.keras` file (a zip archive) before its contents are read."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from schemas.errors import ModelLoadFailed
from workers.models.guards.configuration import MAX_CONFIG_BYTES
from workers.models.guards.hdf5 import check_file_size, check_hdf5, open_hdf5
from workers.models.limits import ModelLimits

_CONFIG = "config.json"
_WEIGHTS = "model.weights.h5"
_METADATA = "metadata.json"
_VERSION = re.compile(rb'"keras_version":\s*"(\d{1,3})\.')
# Weights up to this size are checked in memory, larger ones in a temporary file.
_SPOOL_BYTES = 256 * 2**20


class ArchiveContents(NamedTuple):
    """The configuration in a `.keras` file (JSON text), and the first number of the Keras version that wrote it."""

    config: bytes
    keras_version: int


def check_archive(path: Path, limits: ModelLimits) -> ArchiveContents:
    """Check the sizes and the weights of a `.keras` file, and return its configuration and the version of Keras.

    Raises:
        ModelLoadFailed: the file is damaged or too large, or its weights point to another file.
    """
    check_file_size(path, limits)
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise ModelLoadFailed(f"'{path.name}' is not a .keras file (a zip archive), or it is damaged.") from error
    with archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        _check_sizes(sizes, path.name, limits)
        try:
            with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as weights:
                with archive.open(_WEIGHTS) as member:
                    shutil.copyfileobj(member, weights, 2**20)
                weights.seek(0)
                with open_hdf5(weights, path.name) as file:
                    check_hdf5(file, path.name, limits)
            return ArchiveContents(archive.read(_CONFIG), _version(archive) if _METADATA in sizes else 3)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # also for encryption and unknown compression
            raise ModelLoadFailed(f"'{path.name}' is damaged: {error}") from error


def _check_sizes(sizes: dict[str, int], file_name: str, limits: ModelLimits) -> None:
    expanded = sum(sizes.values())
    if expanded > limits.max_expanded_bytes:
        raise ModelLoadFailed(
            f"'{file_name}' expands to {expanded} bytes; at most {limits.max_expanded_bytes} are allowed.",
            allowed=str(limits.max_expanded_bytes),
            got=str(expanded),
        )
    if _CONFIG not in sizes or _WEIGHTS not in sizes:
        raise ModelLoadFailed(f"'{file_name}' is not a .keras file of Keras 3: it lacks {_CONFIG} or {_WEIGHTS}.")
    for member in (_CONFIG, _METADATA):
        if sizes.get(member, 0) > MAX_CONFIG_BYTES:
            raise ModelLoadFailed(f"'{file_name}': {member} has {sizes[member]} bytes; at most {MAX_CONFIG_BYTES} are allowed.")


def _version(archive: zipfile.ZipFile) -> int:
    found = _VERSION.search(archive.read(_METADATA))
    return int(found[1]) if found else 3
