"""Copy the arrays of a checked HDF5 file to a plain file, and list them in a table of contents. The child process does this."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import IO, Any

import h5py
import numpy as np

from workers.models.guards.refusal import FileRefused

_SLICE_BYTES = 64 * 2**20
_ALIGNMENT = 64
# The attributes from which Keras learns which array belongs to which weight. No other attribute is read.
_LISTS = ("layer_names", "weight_names")
_TEXTS = frozenset({"keras_version", "backend", "dtype"})
_MAX_ATTRIBUTE_BYTES = 16 * 2**20
BFLOAT16 = "bfloat16"


class ArrayCopies:
    """Copies arrays to `target`, a file opened for writing, one after the other.

    `copy` returns the table of contents of a group: `attributes`, `groups` and `arrays` by name. An array is (type, shape, offset): the
    type as NumPy writes it, or `bfloat16`, and the offset in bytes. Texts in attributes are str.
    """

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._attribute_bytes = 0

    def copy(self, group: h5py.Group, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Copy all arrays of a group and of the groups in it, except for the members that `without` names.

        Raises:
            FileRefused: the attributes are too large together, or an array cannot be read.
        """
        groups: dict[str, Any] = {}
        arrays: dict[str, Any] = {}
        for name in map(str, group):
            if name in without:
                continue
            item = group[name]
            if isinstance(item, h5py.Group):
                groups[name] = self.copy(item)
            elif isinstance(item, h5py.Dataset):
                arrays[name] = self._copy_array(item)
        return {"attributes": self._attributes(group), "groups": groups, "arrays": arrays}

    def _copy_array(self, dataset: h5py.Dataset) -> tuple[str, tuple[int, ...], int]:
        self._target.write(bytes(-self._target.tell() % _ALIGNMENT))
        offset = self._target.tell()
        try:
            for part in _parts(dataset):
                self._target.write(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
        except OSError as error:
            if error.errno is not None:  # the file that is written: the disk is full
                raise
            raise FileRefused(f"is damaged: the values of the object {dataset.name} cannot be read.") from error
        kind = BFLOAT16 if dataset.dtype.kind == "V" else dataset.dtype.str
        return kind, dataset.shape or (), offset

    def _attributes(self, group: h5py.Group) -> dict[str, Any]:
        """Return the attributes that Keras reads. A long list is cut into several attributes: `weight_names0`, `weight_names1`, …"""
        names = [name for name in group.attrs if name in _TEXTS or name.rstrip("0123456789") in _LISTS]
        return {name: self._attribute(group, name) for name in names}

    def _attribute(self, group: h5py.Group, name: str) -> Any:
        declared = group.attrs.get_id(name)
        if 0 in (declared.shape or ()):  # an empty list has no type of text
            return []
        if declared.dtype.kind not in "OS":
            raise FileRefused(f"has an attribute that is no text: {name} of the object {group.name}.")
        self._count(declared.get_storage_size())
        value: Any = group.attrs[name]
        texts = [_text(each) for each in np.atleast_1d(value).tolist()]
        self._count(sum(map(len, texts)))
        return texts if name not in _TEXTS else texts[0] if texts else ""

    def _count(self, size: int) -> None:
        self._attribute_bytes += size
        if self._attribute_bytes > _MAX_ATTRIBUTE_BYTES:
            raise FileRefused(f"has names of layers and weights of more than {_MAX_ATTRIBUTE_BYTES} bytes.", allowed=_MAX_ATTRIBUTE_BYTES)


def _parts(dataset: h5py.Dataset) -> Iterator[np.ndarray]:
    """Yield the values in the order of memory, about `_SLICE_BYTES` at a time along the first axis."""
    if not dataset.shape:
        yield dataset[()]
        return
    row_bytes = max(1, math.prod(dataset.shape[1:]) * dataset.dtype.itemsize)
    rows = max(1, _SLICE_BYTES // row_bytes)
    for start in range(0, dataset.shape[0], rows):
        yield dataset[start : start + rows]


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
