"""Tensors of a PyTorch checkpoint in the legacy (non-zip) format, read without torch and without trusting the pickle.

The file is four pickles (magic number, protocol, system info, the object) followed by a pickled list of storage keys and,
for each key, an int64 element count and its raw little-endian elements (`torch/serialization.py`, `_legacy_save`).
"""

from __future__ import annotations

import math
import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001

_STORAGE_DTYPES: Mapping[str, str] = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}


class TorchPickleError(ValueError):
    """Not a legacy PyTorch checkpoint, damaged, or one that asks for more than tensors."""


@dataclass(frozen=True)
class _StorageType:
    dtype: np.dtype[Any]


@dataclass
class _Storage:
    dtype: np.dtype[Any]
    elements: int
    values: np.ndarray | None = None


@dataclass(frozen=True)
class _Tensor:
    """What `torch._utils._rebuild_tensor_v2` would build: a strided view of a storage, in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        if self.storage.values is None:
            raise TorchPickleError("a tensor names a storage whose elements are not in the file")
        if len(self.shape) != len(self.strides) or min((self.offset, *self.shape, *self.strides)) < 0:
            raise TorchPickleError(f"a tensor has shape {self.shape}, strides {self.strides}, offset {self.offset}")
        if math.prod(self.shape) > self.storage.elements:
            raise TorchPickleError(f"a tensor of shape {self.shape} is larger than its storage of {self.storage.elements} elements")
        if math.prod(self.shape) == 0:
            return np.empty(self.shape, self.storage.dtype)
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if last >= self.storage.elements:
            raise TorchPickleError(f"a tensor reaches element {last} of a storage of {self.storage.elements}")
        item = self.storage.dtype.itemsize
        view = np.lib.stride_tricks.as_strided(self.storage.values[self.offset :], self.shape, [stride * item for stride in self.strides])
        return np.array(view)  # an array of its own: views of one storage may overlap


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The named tensors of a legacy checkpoint that holds a state dict.

    Nothing in the pickle is run but the making of `OrderedDict`s and strided tensors over plain storages.

    Raises:
        TorchPickleError: another format, a truncated file, any other global, or an object that is no dict of tensors.
    """
    with path.open("rb") as file:
        return _read(file)


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    storages: dict[str, _Storage] = {}
    try:
        if _Unpickler(file, storages).load() != MAGIC_NUMBER:
            raise TorchPickleError("not a PyTorch checkpoint in the legacy format")
        protocol = _Unpickler(file, storages).load()
        if protocol != PROTOCOL_VERSION:
            raise TorchPickleError(f"protocol {protocol!r}, only {PROTOCOL_VERSION} is known")
        system: Any = _Unpickler(file, storages).load()
        if not isinstance(system, dict) or system.get("little_endian") is not True:
            raise TorchPickleError("only little-endian checkpoints are read")
        state: Any = _Unpickler(file, storages).load()
        keys: Any = _Unpickler(file, storages).load()
        for key in keys:
            _fill(storages[key], file)
    except TorchPickleError:
        raise
    except Exception as error:  # a damaged pickle raises whatever its opcodes stumble over
        raise TorchPickleError(f"damaged checkpoint: {type(error).__name__}: {error}") from error
    if not isinstance(state, dict):
        raise TorchPickleError(f"holds a {type(state).__name__}, not a dict of tensors")
    tensors: dict[str, np.ndarray] = {}
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, _Tensor):
            raise TorchPickleError(f"entry {name!r} is a {type(value).__name__}, not a tensor")
        tensors[name] = value.array()
    return tensors


def _fill(storage: _Storage, file: BinaryIO) -> None:
    (elements,) = struct.unpack("<q", file.read(8))
    if elements != storage.elements:
        raise TorchPickleError(f"a storage of {storage.elements} elements is stored with {elements}")
    content = file.read(elements * storage.dtype.itemsize)
    if len(content) != elements * storage.dtype.itemsize:
        raise TorchPickleError("the file is truncated")
    storage.values = np.frombuffer(content, storage.dtype)


def _rebuild_tensor_v2(storage: object, offset: int, shape: Sequence[int], strides: Sequence[int], *_: object) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise TorchPickleError(f"a tensor is built from a {type(storage).__name__}, not from a storage")
    return _Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, storages: dict[str, _Storage]) -> None:
        super().__init__(file, encoding="utf-8")
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor_v2
        if module == "torch" and name in _STORAGE_DTYPES:
            return _StorageType(np.dtype(_STORAGE_DTYPES[name]))
        raise TorchPickleError(f"the checkpoint asks for {module}.{name}, which is not admitted")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage_type, key, _, elements, view = pid
        if kind != "storage" or not isinstance(storage_type, _StorageType) or view is not None:
            raise TorchPickleError(f"unknown persistent object {kind!r}")
        return self._storages.setdefault(key, _Storage(storage_type.dtype, int(elements)))
