"""The contents of a model file as the worker gets them: a checked configuration, and arrays in an HDF5 file in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import h5py
import ml_dtypes
import numpy as np
from ulid import ULID

from workers.models.reading.array_copies import BFLOAT16


@dataclass(frozen=True)
class StoredModel:
    """The contents of a model file, which the child process has read.

    Attributes:
        config: the configuration as JSON text, or None if the file holds weights alone.
        keras_version: the first number of the version of Keras that wrote the file.
        table: the table of contents that `ArrayCopies.copy` has made.
        values: the bytes of all arrays.
    """

    config: str | None
    keras_version: int
    table: dict[str, Any]
    values: memoryview

    @cached_property
    def number_count(self) -> int:
        """The number of values in all arrays."""
        return sum(math.prod(shape) for _, shape, _ in _arrays(self.table))

    @contextmanager
    def weights(self) -> Iterator[h5py.File]:
        """Give the arrays as an HDF5 file in memory, which Keras reads as it reads its own files. It may be changed.

        The worker writes this file itself, so no structure of the file that nobody has checked reaches its HDF5 library. Each file has
        a name of its own, because HDF5 refuses two open files of one name, and models are loaded side by side.
        """
        size = max(2**16, len(self.values))
        with h5py.File(f"weights-{ULID()}", "w", driver="core", backing_store=False, block_size=size) as file:
            self._fill(file, self.table)
            yield file

    def _fill(self, group: h5py.Group, table: dict[str, Any]) -> None:
        for name, value in table["attributes"].items():
            group.attrs[name] = value
        for name, entry in table["arrays"].items():
            dataset = group.create_dataset(name, data=self._array(*entry))
            if entry[0] == BFLOAT16:
                dataset.attrs["dtype"] = BFLOAT16
        for name, inner in table["groups"].items():
            self._fill(group.create_group(name), inner)

    def _array(self, kind: str, shape: tuple[int, ...], offset: int) -> np.ndarray:
        dtype = np.dtype(ml_dtypes.bfloat16 if kind == BFLOAT16 else kind)
        return np.frombuffer(self.values, dtype, math.prod(shape), offset).reshape(shape)


def _arrays(table: dict[str, Any]) -> Iterator[tuple[str, tuple[int, ...], int]]:
    yield from table["arrays"].values()
    for inner in table["groups"].values():
        yield from _arrays(inner)
