"""Write PNG files (PNG specification, third edition, W3C 2025)."""

from __future__ import annotations

import numpy as np
from isal import isal_zlib
from jaxtyping import UInt8

HEADER_END = 33
"""The number of bytes before the first chunk that may be put in: the signature and the chunk IHDR, which is always the first."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS_RGB = b"\x08\x02\x00\x00\x00"  # bit depth, colour type, compression, filter and interlace methods
_NONE, _UP = 0, 2  # filter types: each byte is stored as it is, or as its difference to the byte above
_LEVEL = 1
_BAND, _EVERY = 8, 256  # of every 256 rows, 8 are tried with both filters


def rgb_file(image: UInt8[np.ndarray, "H W 3"]) -> bytes:
    """Return the PNG file of an RGB picture.

    The deflate stream is written by ISA-L (Intel's igzip), in a third of the time of OpenCV at level 1. All rows have the same filter:
    Up, or none if a sample of the rows is smaller without one. Photos and what is smooth are smaller with Up. Maps of few pixels in the
    colours of a colormap repeat the same colours, and without a filter they are often half as large.
    """
    height, width = image.shape[:2]
    rows = image.reshape(height, 3 * width)
    kind = _filter_for(rows)
    filtered = np.empty((height, 1 + 3 * width), np.uint8)
    filtered[:, 0] = kind
    if kind == _UP:
        filtered[0, 1:] = rows[0]
        np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    else:
        filtered[:, 1:] = rows
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return b"".join((_SIGNATURE, *_parts(b"IHDR", size + _EIGHT_BITS_RGB), *_parts(b"IDAT", _stream(filtered)), *_parts(b"IEND", b"")))


def _filter_for(rows: UInt8[np.ndarray, "H W"]) -> int:
    """Return the filter with which a sample of the rows becomes smaller."""
    if len(rows) == 1:
        return _UP
    starts = range(min(_EVERY, len(rows)) // 2, len(rows), _EVERY)
    plain = [rows[start : start + _BAND] for start in starts]
    differences = [band - rows[start - 1 : start - 1 + len(band)] for start, band in zip(starts, plain, strict=True)]
    return _NONE if len(_stream(np.concatenate(plain))) < len(_stream(np.concatenate(differences))) else _UP


def _stream(content: UInt8[np.ndarray, "H W"]) -> bytes:
    return isal_zlib.compress(content, _LEVEL)  # pyright: ignore[reportUnknownMemberType] - its stub leaves the type of the data out


def with_text(png: bytes, texts: list[tuple[str, str]]) -> bytes:
    """Return a PNG file with text chunks behind its header. The pixels are not touched.

    `texts` are keywords and texts, written as `iTXt` in UTF-8 (section 11.3.3.4).
    """
    chunks = b"".join(chunk(b"iTXt", f"{keyword}\0\0\0\0\0{text}".encode()) for keyword, text in texts)
    return png[:HEADER_END] + chunks + png[HEADER_END:]


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk: its length, its kind, its content and their checksum."""
    return b"".join(_parts(kind, content))


def _parts(kind: bytes, content: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    checksum = isal_zlib.crc32(content, isal_zlib.crc32(kind))  # pyright: ignore[reportUnknownMemberType] - as above
    return len(content).to_bytes(4, "big"), kind, content, checksum.to_bytes(4, "big")
