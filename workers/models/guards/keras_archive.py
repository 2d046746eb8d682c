"""A `.keras` file (a zip archive), looked through before what it holds is read."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from schemas.errors import ModelLoadFailed
from workers.models.guards.configuration import MAX_CONFIG_BYTES
from workers.models.guards.hdf5 import check_file_size, check_hdf5, open_hdf5
from workers.models.limits import ModelLimits

_CONFIG = "config.json"
_WEIGHTS = "model.weights.h5"
# Weights up to this size are looked through in memory, larger ones in a temporary file.
_SPOOL_BYTES = 256 * 2**20


def check_archive(path: Path, limits: ModelLimits) -> bytes:
    """The configuration in a `.keras` file whose sizes are within the limits and whose weights point nowhere else.

    Raises:
        ModelLoadFailed: what it is or contains that it must not.
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
            return archive.read(_CONFIG)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # damaged, encrypted, unknown compression
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
        raise ModelLoadFailed(f"'{file_name}' is no .keras file of Keras 3: it lacks {_CONFIG} or {_WEIGHTS}.")
    if sizes[_CONFIG] > MAX_CONFIG_BYTES:
        raise ModelLoadFailed(f"'{file_name}': its configuration has {sizes[_CONFIG]} bytes; at most {MAX_CONFIG_BYTES} are read.")
