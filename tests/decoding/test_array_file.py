"""Array files are read within their limits, and everything else about them is refused in words."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest

from decoding.array_file import array_file, is_array_file, read_array, read_array_header
from schemas.errors import InvalidImage

ARRAY = np.arange(30, dtype=np.uint16).reshape(2, 5, 3) * 2000


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<f8", "|u1"])
def test_every_order_and_type_gives_the_same_numbers(order: str, dtype: str) -> None:
    file = io.BytesIO()
    np.save(file, np.array(ARRAY % 251, dtype=dtype, order=order))  # type: ignore[call-overload]
    found = read_array(file.getvalue())
    np.testing.assert_array_equal(found, ARRAY % 251)
    assert found.flags.c_contiguous
    assert found.dtype.isnative


def test_equal_arrays_give_equal_files() -> None:
    assert array_file(ARRAY) == array_file(np.asfortranarray(ARRAY))
    assert is_array_file(array_file(ARRAY))
    header = read_array_header(array_file(ARRAY))
    assert (header.shape, header.dtype.name, header.offset) == ((2, 5, 3), "uint16", 128)
    assert read_array(array_file(np.array(3.5))).shape == ()


def of_header(text: str, body: bytes = b"") -> bytes:
    padded = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + body


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (array_file(ARRAY)[:-1], "187 bytes, but its header says 188"),
        (array_file(ARRAY) + b"x", "189 bytes, but its header says 188"),
        (array_file(ARRAY)[:40], "header that cannot be read"),
        (of_header("__import__('os').system('true')"), "header that cannot be read"),
        (of_header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps([1])), "got object"),
        (of_header("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", b"0" * 8), "got complex64"),
        (of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }"), "each of at least 1"),
        (of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }"), "header says"),
        (of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1), }", b"0000"), "at most 8 axes"),
        (array_file(np.array([[1.0, np.nan]], np.float16)), r"finite numbers; got nan at \[0, 1\]"),
        (array_file(np.array([-np.inf])), r"got -inf at \[0\]"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, words: str) -> None:
    with pytest.raises(InvalidImage, match=words):
        read_array(content)
