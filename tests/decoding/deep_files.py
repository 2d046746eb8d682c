"""PNG and TIFF files of 16-bit colour for the tests, which Pillow cannot write."""

from __future__ import annotations

import struct
import zlib
from typing import Literal

import numpy as np

from tests.decoding.image_files import png_chunk

# The passes of Adam7 (PNG, section 8.2): the first row and column of each, and the steps down and across.
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def deep_png(values: np.ndarray, profile: bytes | None = None, *, interlaced: bool = False, transparent: bytes = b"") -> bytes:
    """Return a PNG file of colours of 16 bits, shape (H, W, 3 or 4). `transparent` is the content of its tRNS chunk."""
    height, width, channels = values.shape
    passes = [values[top::down, left::across] for top, left, down, across in _ADAM7] if interlaced else [values]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for part in passes if part.size for row in part)
    header = struct.pack(">IIBBBBB", width, height, 16, 2 if channels == 3 else 6, 0, 0, interlaced)
    chunks = [(b"IHDR", header)]
    if profile is not None:
        chunks.append((b"iCCP", b"name\0\0" + zlib.compress(profile)))
    if transparent:
        chunks.append((b"tRNS", transparent))
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def deep_tiff(
    values: np.ndarray, profile: bytes, order: Literal["<", ">"], *, deflated: bool = False, apart: bool = False, orientation: int = 1
) -> bytes:
    """Return a TIFF file of colours of 16 bits, shape (H, W, 3 or 4), in one strip, or in one for each channel if they lie `apart`."""
    height, width, channels = values.shape
    parts = [values[..., channel] for channel in range(channels)] if apart else [values]
    strips = [part.astype(f"{order}u2").tobytes() for part in parts]
    if deflated:
        strips = [zlib.compress(strip) for strip in strips]
    starts = [8 + sum(map(len, strips[:index])) for index in range(len(strips))]
    short, long, undefined = ("H", 3), ("I", 4), ("B", 7)
    tags = [
        (256, long, [width]),
        (257, long, [height]),
        (258, short, [16] * channels),
        (259, short, [8 if deflated else 1]),
        (262, short, [2]),
        (273, long, starts),
        (274, short, [orientation]),
        (277, short, [channels]),
        (278, long, [height]),
        (279, long, [len(strip) for strip in strips]),
        (284, short, [2 if apart else 1]),
        *([(338, short, [2])] if channels == 4 else []),
        (34675, undefined, list(profile)),
    ]
    body = b"".join(strips)
    body += bytes(len(body) % 2)
    entries = b""
    for tag, (letter, kind), numbers in tags:
        content = struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
        entries += struct.pack(f"{order}HHI", tag, kind, len(numbers))
        if len(content) <= 4:
            entries += content.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}I", 8 + len(body))
            body += content + bytes(len(content) % 2)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(body))
    return head + body + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
