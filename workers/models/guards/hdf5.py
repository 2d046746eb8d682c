"""Check an HDF5 file before its contents are read. Such a file can point into other files and expand without limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import h5py

from schemas.errors import ModelLoadFailed
from workers.models.limits import ModelLimits


def check_hdf5_file(path: Path, limits: ModelLimits) -> None:
    """Check the size and the contents of an HDF5 file; see `check_file_size` and `check_hdf5`."""
    check_file_size(path, limits)
    with open_hdf5(path, path.name) as file:
        check_hdf5(file, path.name, limits)


def check_file_size(path: Path, limits: ModelLimits) -> None:
    """Raise `ModelLoadFailed` if the file is missing or has too many bytes."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ModelLoadFailed(f"The file '{path.name}' is not in the models folder.") from error
    if size > limits.max_file_bytes:
        raise ModelLoadFailed(
            f"'{path.name}' has {size} bytes; at most {limits.max_file_bytes} are allowed.",
            allowed=str(limits.max_file_bytes),
            got=str(size),
        )


@contextmanager
def open_hdf5(source: Path | IO[bytes], file_name: str) -> Iterator[h5py.File]:
    """Open an HDF5 file to read it. Raise `ModelLoadFailed` if it is not one."""
    try:
        file = h5py.File(source, "r")
    except OSError as error:
        raise ModelLoadFailed(f"'{file_name}' is not an HDF5 file, or it is damaged.") from error
    with file:
        yield file


def check_hdf5(file: h5py.File, file_name: str, limits: ModelLimits) -> None:
    """Check that the file has no links (soft or external), no values in other files, and not more declared bytes than the limit.

    Raises:
        ModelLoadFailed: the error names the object at fault.
    """
    declared = 0
    seen: set[Any] = set()
    pending: list[h5py.Group] = [file]
    while pending:
        group = pending.pop()
        for name in group:
            path = f"{group.name}/{name}".replace("//", "/")
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ModelLoadFailed(f"'{file_name}': the object {path} is a {type(link).__name__}; links are not allowed.")
            item = group[name]
            if item in seen:  # h5py compares objects by their address in the file
                continue
            seen.add(item)
            if isinstance(item, h5py.Group):
                pending.append(item)
            elif isinstance(item, h5py.Dataset):
                if item.external or item.is_virtual:
                    raise ModelLoadFailed(f"'{file_name}': the object {path} keeps its values in another file; that is not allowed.")
                declared += item.size * item.dtype.itemsize
    if declared > limits.max_expanded_bytes:
        raise ModelLoadFailed(
            f"'{file_name}' expands to {declared} bytes; at most {limits.max_expanded_bytes} are allowed.",
            allowed=str(limits.max_expanded_bytes),
            got=str(declared),
        )
