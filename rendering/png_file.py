"""Write PNG files (PNG specification, third edition, W3C 2025)."""

from __future__ import annotations

import zlib

import numpy as np
from isal import isal_zlib
from jaxtyping import UInt8

HEADER_END = 33
"""The number of bytes before the first chunk that may be put in: the signature and the chunk IHDR, which is always the first."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS_RGB = b"\x08\x02\x00\x00\x00"  # bit depth, colour type, compression, filter and interlace methods
_UP = 2  # the filter type: each byte is stored as its difference to the byte above
_LEVEL = 1


def rgb_file(image: UInt8[np.ndarray, "H W 3"]) -> bytes:
    """Return the PNG file of an RGB picture.

    Every row has the filter Up, and the deflate stream is written by ISA-L (Intel's igzip). Measured on overlays, charts and grids, the
    file is as large as OpenCV's at level 1 with the same filter, and takes a third of its time.
    """
    height, width = image.shape[:2]
    rows = image.reshape(height, 3 * width)
    filtered = np.empty((height, 1 + 3 * width), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    stream = isal_zlib.compress(filtered, _LEVEL)  # pyright: ignore[reportUnknownMemberType] - its stub leaves the type of the data out
    return b"".join((_SIGNATURE, chunk(b"IHDR", size + _EIGHT_BITS_RGB), chunk(b"IDAT", stream), chunk(b"IEND", b"")))


def with_text(png: bytes, texts: list[tuple[str, str]]) -> bytes:
    """Return a PNG file with text chunks behind its header. The pixels are not touched.

    `texts` are keywords and texts, written as `iTXt` in UTF-8 (section 11.3.3.4).
    """
    chunks = b"".join(chunk(b"iTXt", f"{keyword}\0\0\0\0\0{text}".encode()) for keyword, text in texts)
    return png[:HEADER_END] + chunks + png[HEADER_END:]


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk: its length, its kind, its content and their checksum."""
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return b"".join((len(content).to_bytes(4, "big"), kind, content, checksum.to_bytes(4, "big")))
