"""Read width and height from the header of an image file. Each parser takes a bounded number of steps, whatever the file claims.

Pillow's plugins read everything before the first pixel: a JPEG file of 19 MiB that consists of millions of segments took 5 s and 0.7 GB.
These parsers skip what they do not need, and leave the rest to the process that decodes.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Callable, Iterator, Mapping

MAX_STEPS = 100_000
"""The largest number of segments, blocks or tags that are looked at. It takes about 30 ms."""

_SIGNATURE_PNG = b"\x89PNG\r\n\x1a\n"
# The bit depths that each colour type may have (PNG, section 11.2.1).
_PNG_DEPTHS: Mapping[int, tuple[int, ...]] = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
# Markers without a length: TEM, RST0 to RST7, SOI (ITU-T T.81, table B.1).
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
# All markers SOF0 to SOF15, without DHT (C4), JPG (C8) and DAC (CC).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ENDS = frozenset({0xD9, 0xDA})  # the end of the image, and the first scan
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_TYPES = {3: "H", 4: "I"}


class BrokenHeader(Exception):
    """The header makes no sense, is cut off, or takes too many steps to read. The text says which."""


def png_size(content: bytes) -> tuple[int, int]:
    """Return (width, height) from the chunk IHDR, which comes first."""
    length, kind = struct.unpack_from(">I4s", content, 8)
    width, height, depth, colour, compression, filtering, interlace = struct.unpack_from(">IIBBBBB", content, 16)
    (checksum,) = struct.unpack_from(">I", content, 29)
    if not content.startswith(_SIGNATURE_PNG) or (length, kind) != (13, b"IHDR"):
        raise BrokenHeader("the file does not begin with the chunk IHDR")
    if checksum != binascii.crc32(content[12:29]):
        raise BrokenHeader("the checksum of the chunk IHDR is wrong")
    if depth not in _PNG_DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise BrokenHeader(f"there is no PNG of colour type {colour} with {depth} bits")
    return width, height


def jpeg_segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker of each segment before the first scan, and where its length stands (ITU-T T.81, annex B).

    Raises:
        BrokenHeader: a segment does not begin with a marker, or there are more than `MAX_STEPS`.
        IndexError, struct.error: the file is cut off.
    """
    position = 2
    for _ in range(MAX_STEPS):
        if content[position] != 0xFF:
            raise BrokenHeader("a segment does not begin with a marker")
        marker = content[position + 1]
        if marker in (0xFF, 0x00):  # fill bytes before a marker
            position += 1 if marker == 0xFF else 2
        elif marker in _JPEG_BARE:
            position += 2
        elif marker in _JPEG_ENDS:
            return
        else:
            (length,) = struct.unpack_from(">H", content, position + 2)
            yield marker, position + 2
            position += 2 + max(2, length)
    raise BrokenHeader(f"it has more than {MAX_STEPS:,} segments before the pixels")


def jpeg_size(content: bytes) -> tuple[int, int]:
    """Return (width, height) from the first frame header, and skip all segments before it (ITU-T T.81, annex B)."""
    for marker, position in jpeg_segments(content):
        if marker in _JPEG_FRAMES:
            _, precision, height, width, components = struct.unpack_from(">HBHHB", content, position)
            if precision != 8 or components not in (1, 3, 4):
                raise BrokenHeader(f"it has {components} components of {precision} bits; 1, 3 or 4 of 8 bits are allowed")
            return width, height
    raise BrokenHeader("the image begins or ends before its size is given")


def gif_size(content: bytes) -> tuple[int, int]:
    """Return (width, height) of the logical screen, or of the first frame where that is larger (GIF89a, sections 18 and 20)."""
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    position = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    steps = 0
    while content[position] == 0x21:  # an extension: its label and its blocks, of which the last one is empty
        position += 2
        while size := content[position]:
            position += 1 + size
            steps += 1
            if steps > MAX_STEPS:
                raise BrokenHeader(f"it has more than {MAX_STEPS:,} blocks before the first frame")
        position += 1
        steps += 1
        if steps > MAX_STEPS:
            raise BrokenHeader(f"it has more than {MAX_STEPS:,} extensions before the first frame")
    if content[position] != 0x2C:
        raise BrokenHeader("it has no frame")
    left, top, frame_width, frame_height = struct.unpack_from("<HHHH", content, position + 1)
    return max(width, left + frame_width), max(height, top + frame_height)


def bmp_size(content: bytes) -> tuple[int, int]:
    """Return (width, height). A negative height says that the first row is the top one."""
    (header,) = struct.unpack_from("<I", content, 14)
    if header == 12:
        width, height = struct.unpack_from("<HH", content, 18)
    elif header in (16, 40, 52, 56, 64, 108, 124):
        width, height = struct.unpack_from("<ii", content, 18)
    else:
        raise BrokenHeader(f"there is no BMP header of {header} bytes")
    return width, abs(height)


def webp_size(content: bytes) -> tuple[int, int]:
    """Return (width, height) from the first chunk (RFC 9649, sections 2.5 to 2.7)."""
    chunk = content[12:16]
    if chunk == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if chunk == b"VP8L" and content[20:21] == b"\x2f":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8X" and len(content) >= 30:
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    raise BrokenHeader("its first chunk is no picture")


def tiff_numbers(content: bytes, wanted: frozenset[int]) -> dict[int, int]:
    """Return the wanted tags that the first directory has, each as a whole number (TIFF 6.0, section 2). EXIF data is such a file, too."""
    order = "<" if content.startswith(b"II") else ">"
    version, start = struct.unpack_from(f"{order}HI", content, 2)
    if version != 42:
        raise BrokenHeader(f"its version is {version}; 42 is allowed")
    (count,) = struct.unpack_from(f"{order}H", content, start)
    found: dict[int, int] = {}
    for number in range(count):  # at most 65,535
        entry = start + 2 + 12 * number
        tag, kind = struct.unpack_from(f"{order}HH", content, entry)
        if tag in wanted and kind in _TIFF_TYPES:
            (found[tag],) = struct.unpack_from(f"{order}{_TIFF_TYPES[kind]}", content, entry + 8)
    return found


def tiff_size(content: bytes) -> tuple[int, int]:
    """Return (width, height) from the tags of the first directory (TIFF 6.0, section 8)."""
    found = tiff_numbers(content, frozenset({_TIFF_WIDTH, _TIFF_HEIGHT}))
    if len(found) < 2:
        raise BrokenHeader("its first directory has no width or no height")
    return found[_TIFF_WIDTH], found[_TIFF_HEIGHT]


SIZE_READERS: Mapping[str, Callable[[bytes], tuple[int, int]]] = {
    "JPEG": jpeg_size,
    "PNG": png_size,
    "GIF": gif_size,
    "BMP": bmp_size,
    "WEBP": webp_size,
    "TIFF": tiff_size,
}
"""The parser of each format, by Pillow's name. Each raises `BrokenHeader`, `IndexError` or `struct.error` for a header that is broken."""
