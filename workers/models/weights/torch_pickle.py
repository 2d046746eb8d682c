"""Read the tensors of a PyTorch checkpoint in the legacy (non-zip) format, without torch and without trust in the pickle.

The file starts with four pickles: magic number, protocol, system info and the object. A pickled list of storage keys follows. Then each
key has an int64 element count and its raw little-endian elements (`torch/serialization.py`, `_legacy_save`).
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
    """The file is not a legacy PyTorch checkpoint, is damaged, or asks for more than tensors."""


@dataclass(frozen=True)
class _TorchStorageType:
    dtype: np.dtype[Any]


@dataclass
class _TorchStorage:
    dtype: np.dtype[Any]
    elements: int
    values: np.ndarray | None = None


@dataclass(frozen=True)
class _TorchTensor:
    """A strided view of a storage, as `torch._utils._rebuild_tensor_v2` would build it. Offset and strides count elements."""

    storage: _TorchStorage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        if self.storage.values is None:
            raise TorchPickleError("The file does not have the elements of a tensor's storage.")
        if len(self.shape) != len(self.strides) or min((self.offset, *self.shape, *self.strides)) < 0:
            raise TorchPickleError(f"A tensor has a wrong shape {self.shape}, strides {self.strides} or offset {self.offset}.")
        if math.prod(self.shape) > self.storage.elements:
            raise TorchPickleError(f"A tensor of shape {self.shape} is larger than its storage of {self.storage.elements} elements.")
        if math.prod(self.shape) == 0:
            return np.empty(self.shape, self.storage.dtype)
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if last >= self.storage.elements:
            raise TorchPickleError(f"A tensor reaches element {last} of a storage of {self.storage.elements} elements.")
        item = self.storage.dtype.itemsize
        view = np.lib.stride_tricks.as_strided(self.storage.values[self.offset :], self.shape, [stride * item for stride in self.strides])
        return np.array(view)  # a copy, because views of one storage may overlap


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors, by name, of a legacy checkpoint that holds a state dict.

    The pickle can only make `OrderedDict`s and strided tensors over plain storages. Anything else in it is refused and never run.

    Raises:
        TorchPickleError: the file has another format, is truncated, asks for anything else, or holds no dict of tensors.
    """
    with path.open("rb") as file:
        return _read(file)


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    storages: dict[str, _TorchStorage] = {}
    try:
        if _TensorUnpickler(file, storages).load() != MAGIC_NUMBER:
            raise TorchPickleError("The file is not a PyTorch checkpoint in the legacy format.")
        protocol = _TensorUnpickler(file, storages).load()
        if protocol != PROTOCOL_VERSION:
            raise TorchPickleError(f"The checkpoint has protocol {protocol!r}; only {PROTOCOL_VERSION} is known.")
        system: Any = _TensorUnpickler(file, storages).load()
        if not isinstance(system, dict) or system.get("little_endian") is not True:
            raise TorchPickleError("The checkpoint is not little-endian; only little-endian checkpoints are read.")
        state: Any = _TensorUnpickler(file, storages).load()
        keys: Any = _TensorUnpickler(file, storages).load()
        for key in keys:
            _fill(storages[key], file)
    except TorchPickleError:
        raise
    except Exception as error:  # a damaged pickle raises errors of many classes
        raise TorchPickleError(f"The checkpoint is damaged: {type(error).__name__}: {error}") from error
    if not isinstance(state, dict):
        raise TorchPickleError(f"The checkpoint holds an object of the class {type(state).__name__}, not a dict of tensors.")
    tensors: dict[str, np.ndarray] = {}
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, _TorchTensor):
            raise TorchPickleError(f"The checkpoint's entry {name!r} is of the class {type(value).__name__}, not a tensor.")
        tensors[name] = value.array()
    return tensors


def _fill(storage: _TorchStorage, file: BinaryIO) -> None:
    (elements,) = struct.unpack("<q", file.read(8))
    if elements != storage.elements:
        raise TorchPickleError(f"A storage of {storage.elements} elements is stored with {elements}.")
    content = file.read(elements * storage.dtype.itemsize)
    if len(content) != elements * storage.dtype.itemsize:
        raise TorchPickleError("The file is truncated.")
    storage.values = np.frombuffer(content, storage.dtype)


def _rebuild_tensor_v2(storage: object, offset: int, shape: Sequence[int], strides: Sequence[int], *_: object) -> _TorchTensor:
    if not isinstance(storage, _TorchStorage):
        raise TorchPickleError(f"A tensor is built from an object of the class {type(storage).__name__}, not from a storage.")
    return _TorchTensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


class _TensorUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, storages: dict[str, _TorchStorage]) -> None:
        super().__init__(file, encoding="utf-8")
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor_v2
        if module == "torch" and name in _STORAGE_DTYPES:
            return _TorchStorageType(np.dtype(_STORAGE_DTYPES[name]))
        raise TorchPickleError(f"The checkpoint asks for {module}.{name}, which is not allowed.")

    def persistent_load(self, pid: Any) -> _TorchStorage:
        kind, storage_type, key, _, elements, view = pid
        if kind != "storage" or not isinstance(storage_type, _TorchStorageType) or view is not None:
            raise TorchPickleError(f"The checkpoint has the unknown persistent object {kind!r}.")
        return self._storages.setdefault(key, _TorchStorage(storage_type.dtype, int(elements)))
