"""Check an HDF5 file before its contents are read. Such a file can point into other files and expand without limit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import h5py

from workers.models.guards.refusal import FileLimits, FileRefused, check_size

MAX_OBJECTS = 100_000
MAX_DEPTH = 100
# Deflate, shuffle, Fletcher's checksum, szip, nbit, scale and offset, and LZF are part of h5py. HDF5 loads any other filter from a plugin.
_OWN_FILTERS = frozenset({1, 2, 3, 4, 5, 6, 32000})


@contextmanager
def open_hdf5(source: IO[bytes]) -> Iterator[h5py.File]:
    """Open an HDF5 file to read it. Raise `FileRefused` if it is not one."""
    try:
        file = h5py.File(source, "r")
    except OSError as error:
        raise FileRefused("is not an HDF5 file, or it is damaged.") from error
    with file:
        yield file


def check_hdf5(file: h5py.File, limits: FileLimits) -> None:
    """Check the names, the sizes and the places of all objects in the file. No values are read.

    A file must be a tree: a link, or a second name of an object, would let a small file stand for a large one.

    Raises:
        FileRefused: the file has a link or a second name for an object, values that are not numbers or lie in another file, a filter
            that is a plugin, too many objects or levels, or more declared bytes than the limit. The error names the object at fault.
    """
    declared = 0
    root: Any = file["/"]
    seen: set[Any] = {root}
    pending: list[tuple[h5py.Group, int]] = [(root, 1)]
    while pending:
        group, depth = pending.pop()
        for name in map(str, group):
            path = f"{group.name}/{name}".replace("//", "/")
            item = _member(group, name, path)
            if item in seen:  # h5py compares objects by their address in the file
                raise FileRefused(f"has a second name for an object: {path}. Each object may have one name.")
            seen.add(item)
            if len(seen) > MAX_OBJECTS:
                raise FileRefused(f"has more than {MAX_OBJECTS} groups and arrays; at most {MAX_OBJECTS} are allowed.", allowed=MAX_OBJECTS)
            if isinstance(item, h5py.Group):
                if depth == MAX_DEPTH:
                    raise FileRefused(f"has groups in groups more than {MAX_DEPTH} levels deep; at most {MAX_DEPTH} are allowed.")
                pending.append((item, depth + 1))
            elif isinstance(item, h5py.Dataset):
                declared += _declared_bytes(item, path)
                check_size(declared, limits.max_expanded_bytes, "expands to")


def _member(group: h5py.Group, name: str, path: str) -> Any:
    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        raise FileRefused(f"has a link: the object {path} is a {type(link).__name__}; links are not allowed.")
    return group[name]


def _declared_bytes(dataset: h5py.Dataset, path: str) -> int:
    """Return the bytes that reading the dataset takes: those of its values, or of one chunk if that is larger."""
    if dataset.external or dataset.is_virtual:
        raise FileRefused(f"points elsewhere: the object {path} keeps its values in another file; that is not allowed.")
    item_bytes = dataset.dtype.itemsize
    if not _is_number(dataset):
        raise FileRefused(f"has values that are not numbers: the object {path} has the type {str(dataset.dtype)[:100]}.")
    layout = dataset.id.get_create_plist()
    filters = [layout.get_filter(position)[0] for position in range(layout.get_nfilters())]
    foreign = [number for number in filters if number not in _OWN_FILTERS]
    if foreign or filters.count(1) > 1:
        raise FileRefused(f"has values that cannot be read: the object {path} is compressed by the filters {filters}.")
    size = math.prod(dataset.shape or ()) * item_bytes
    if size and not dataset.id.get_storage_size():
        raise FileRefused(f"declares values that it does not hold: the object {path} should have {size} bytes, and none are stored.")
    return max(size, math.prod(dataset.chunks or ()) * item_bytes)


def _is_number(dataset: h5py.Dataset) -> bool:
    # Keras stores bfloat16 as two bytes without a type, and says so in an attribute.
    return dataset.dtype.kind in "biuf" or (dataset.dtype.kind == "V" and dataset.dtype.itemsize == 2 and dataset.dtype.fields is None)
