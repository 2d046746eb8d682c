"""Find in the header of an image file whether its EXIF orientation swaps width and height, in a bounded number of steps."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping

from service.image_headers import MAX_STEPS, BrokenHeader, jpeg_segments, tiff_numbers

_ORIENTATION = 0x0112
_SWAPPING = frozenset({5, 6, 7, 8})  # mirrored along a diagonal, or turned by a quarter
_JPEG_APP1 = 0xE1
_EXIF = b"Exif\0\0"
_PNG_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})


def swaps_sides(content: bytes, image_format: str) -> bool | None:
    """Return whether the picture, upright, has the width and height of the file in the other order.

    None means that the header does not say it: Pillow finds an orientation also in XMP data and in texts, and AVIF and HEIF files turn
    pictures in ways of their own. Those are left to the process that decodes. A PNG file whose EXIF data follows its pixels is upright.

    Args:
        content: a file that `check_image` has accepted.
        image_format: its format by Pillow's name, or `NPY`.
    """
    if image_format not in _METADATA:
        return False if image_format in ("GIF", "BMP", "NPY") else None
    other_metadata = False
    try:
        for exif in _METADATA[image_format](content):
            if exif is None:
                other_metadata = True
            elif (value := _orientation(exif)) is not None:
                return value in _SWAPPING
    except (BrokenHeader, IndexError, struct.error):
        return None
    return None if other_metadata else False


def _orientation(exif: bytes) -> int | None:
    """Return the orientation in EXIF data, or None. The decoder ignores broken EXIF data, too."""
    try:
        return tiff_numbers(exif, frozenset({_ORIENTATION})).get(_ORIENTATION)
    except (BrokenHeader, struct.error):
        return None


def _in_jpeg(content: bytes) -> Iterator[bytes | None]:
    for marker, position in jpeg_segments(content):
        if marker == _JPEG_APP1:
            (length,) = struct.unpack_from(">H", content, position)
            segment = content[position + 2 : position + length]
            yield segment.removeprefix(_EXIF) if segment.startswith(_EXIF) else None


def _in_png(content: bytes) -> Iterator[bytes | None]:
    position = 8
    for _ in range(MAX_STEPS):
        length, kind = struct.unpack_from(">I4s", content, position)
        if kind == b"IDAT":
            return
        if kind == b"eXIf":
            yield content[position + 8 : position + 8 + length]
        elif kind in _PNG_TEXTS:
            yield None
        position += 12 + length
    raise BrokenHeader(f"it has more than {MAX_STEPS:,} chunks before the pixels")


def _in_webp(content: bytes) -> Iterator[bytes | None]:
    position = 12
    for _ in range(MAX_STEPS):
        if position + 8 > len(content):
            return
        kind, length = struct.unpack_from("<4sI", content, position)
        if kind == b"EXIF":
            yield content[position + 8 : position + 8 + length].removeprefix(_EXIF)
        elif kind == b"XMP ":
            yield None
        position += 8 + length + length % 2
    raise BrokenHeader(f"it has more than {MAX_STEPS:,} chunks")


def _in_tiff(content: bytes) -> Iterator[bytes | None]:
    yield content


_METADATA: Mapping[str, Callable[[bytes], Iterator[bytes | None]]] = {
    "JPEG": _in_jpeg,
    "PNG": _in_png,
    "WEBP": _in_webp,
    "TIFF": _in_tiff,
}
"""The function of each format that yields its EXIF data, and None for other metadata in which an orientation could stand."""
