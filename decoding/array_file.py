"""Read arrays from NumPy's `.npy` files: the header first, and the numbers only if the header is within the limits."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InvalidImage
from schemas.images import ARRAY_DTYPES

MAGIC = b"\x93NUMPY"
MAX_AXES = 8
_MAX_HEADER = 4096


@dataclass(frozen=True)
class ArrayHeader:
    """The facts in the header of an array file. `offset` is the place of the first number, in bytes."""

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    offset: int


def is_array_file(content: bytes) -> bool:
    """Return whether a file begins like a `.npy` file."""
    return content.startswith(MAGIC)


def read_array_header(content: bytes, pointer: str | None = None) -> ArrayHeader:
    """Return the number type and the shape of an array file. Its length is checked too, but no number is read.

    Args:
        content: the whole file.
        pointer: the place of the file in the request, for the error.

    Raises:
        InvalidImage: the header cannot be read, the numbers are of a type that is not allowed, there are no numbers or too many axes,
            or the file is shorter or longer than its header says.
    """
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file, max_header_size=_MAX_HEADER)
    except (ValueError, TypeError, KeyError, SyntaxError, OverflowError, MemoryError, RecursionError, EOFError) as error:
        raise InvalidImage("The .npy file has a header that cannot be read. The file is broken or cut off.", pointer=pointer) from error
    name = np.dtype(dtype).name
    if dtype.hasobject or name not in ARRAY_DTYPES:
        allowed = ", ".join(ARRAY_DTYPES)
        raise InvalidImage(f"An array has numbers of one of the types {allowed}; got {name}.", pointer=pointer, allowed=allowed, got=name)
    if len(shape) > MAX_AXES or any(size < 1 for size in shape):
        raise InvalidImage(
            f"An array has at most {MAX_AXES} axes, each of at least 1; got the shape {shape}.",
            pointer=pointer,
            allowed=f"at most {MAX_AXES} axes, each of at least 1",
            got=str(shape)[:200],
        )
    expected = file.tell() + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise InvalidImage(
            f"The .npy file has {len(content):,} bytes, but its header says {expected:,} (shape {shape}, {name}).",
            pointer=pointer,
            allowed=f"{expected} bytes",
            got=f"{len(content)} bytes",
        )
    return ArrayHeader(np.dtype(dtype), tuple(shape), file.tell())


def read_array(content: bytes, pointer: str | None = None) -> NDArray[np.generic]:
    """Return the numbers of an array file in C order and in this machine's byte order.

    Raises:
        InvalidImage: the file is refused by `read_array_header`, or a number is NaN or infinite.
    """
    read_array_header(content, pointer)
    array = np.load(io.BytesIO(content), allow_pickle=False, max_header_size=_MAX_HEADER)
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        wrong = np.argwhere(~np.isfinite(array))[0].tolist()
        raise InvalidImage(
            f"An array must have finite numbers; got {array[tuple(wrong)]} at {wrong}.", pointer=pointer, allowed="finite numbers"
        )
    return array


def array_file(array: NDArray[np.generic]) -> bytes:
    """Return an array as a `.npy` file. Equal arrays give equal files."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
    return file.getvalue()
