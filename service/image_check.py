"""Check an image file by its header (format, width and height), before anything is decoded."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass

from PIL import Image

from decoding.array_file import is_array_file, read_array_header
from schemas.errors import BodyTooLarge, ImageTooLarge, InvalidImage, UnsupportedFormat
from schemas.images import ImageLimits
from service.heif_header import heif_format, heif_sizes
from service.image_headers import SIZE_READERS, BrokenHeader
from service.image_orientation import swaps_sides

ARRAY_FORMAT = "NPY"
_LONGEST_PREFIX = 200  # characters of a `data:` URL up to its comma


@dataclass(frozen=True)
class ImageHeader:
    """The facts in the header of an image file. `format` is Pillow's name, or `NPY` for an array.

    Width and height are pixels before EXIF orientation.
    """

    format: str
    width: int
    height: int


def decode_base64(text: str, max_bytes: int, pointer: str) -> bytes:
    """Return the bytes that `text` encodes (RFC 4648, standard alphabet). A `data:` URL is taken without what precedes its comma.

    Raises:
        BodyTooLarge: there are more than `max_bytes`, which is counted before anything is decoded.
        InvalidImage: `text` is not base64.
    """
    if text.startswith("data:"):
        text = text[text.find(",", 0, _LONGEST_PREFIX) + 1 :]
    size = len(text) * 3 // 4 - text[-2:].count("=")
    if size > max_bytes:
        raise BodyTooLarge(
            f"An image given as base64 decodes to at most {max_bytes:,} bytes; got {size:,}. "
            "Send a larger image as a file, or upload it with POST /v1/images.",
            pointer=pointer,
            allowed=f"at most {max_bytes} bytes",
            got=f"{size} bytes",
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidImage(
            f"The image is not valid base64: {error}. It must use the standard alphabet with padding, without line breaks.",
            pointer=pointer,
        ) from None


def check_image(content: bytes, limits: ImageLimits, pointer: str | None = None) -> ImageHeader:
    """Return the format and dimensions of an image file, or of an array in an .npy file.

    It takes at most about 30 ms, whatever the file holds: only the header is read, and only as far as the size.

    Raises:
        BodyTooLarge: the file has too many bytes.
        UnsupportedFormat: its content is in none of the allowed formats.
        InvalidImage: its header is broken.
        ImageTooLarge: it has too many pixels, or a side that is too long.
    """
    if len(content) > limits.max_bytes:
        raise BodyTooLarge(
            f"An image file has at most {limits.max_bytes:,} bytes; got {len(content):,}.",
            pointer=pointer,
            allowed=f"at most {limits.max_bytes} bytes",
            got=f"{len(content)} bytes",
        )
    if is_array_file(content):
        return _array_header(content, limits, pointer)
    name = _format(content, limits)
    if name is None:
        formats = ", ".join(limits.formats)
        raise UnsupportedFormat(
            f"The file must be one of {formats}, or an array as an .npy file. Its content is none of them; its name and Content-Type do "
            "not count.",
            pointer=pointer,
            allowed=formats,
        )
    if name in ("AVIF", "HEIF"):
        sizes = heif_sizes(content)
        if sizes is not None:
            _check_size(*sizes.largest, limits, pointer)
        width, height = (0, 0) if sizes is None else sizes.picture
        if min(width, height) < 1:
            raise InvalidImage(f"The {name} file has a header that cannot be read. The file is broken or cut off.", pointer=pointer)
        return ImageHeader(name, width, height)
    width, height = _size(content, name, pointer)
    _check_size(width, height, limits, pointer)
    return ImageHeader(name, width, height)


def _array_header(content: bytes, limits: ImageLimits, pointer: str | None) -> ImageHeader:
    """Return the size of an array: its first two axes, or (1, length) if it has fewer."""
    shape = read_array_header(content, pointer).shape
    height, width = shape[:2] if len(shape) >= 2 else (1, *shape, 1)[:2]
    _check_size(width, height, limits, pointer)
    return ImageHeader(ARRAY_FORMAT, width, height)


def upright_size(content: bytes, limits: ImageLimits) -> tuple[int, int] | None:
    """Return the width and height of an image file that `check_image` has accepted, after its EXIF orientation is applied.

    Only the header is read. The answer is None if the header does not say how the picture is turned.
    """
    header = check_image(content, limits)
    swapped = swaps_sides(content, header.format)
    if swapped is None:
        return None
    return (header.height, header.width) if swapped else (header.width, header.height)


def _check_size(width: int, height: int, limits: ImageLimits, pointer: str | None) -> None:
    if width > limits.max_side or height > limits.max_side or width * height > limits.max_pixels:
        raise ImageTooLarge(
            f"An image has at most {limits.max_pixels:,} pixels, and {limits.max_side:,} on a side; got {width:,} × {height:,} = "
            f"{width * height:,}.",
            pointer=pointer,
            allowed=f"at most {limits.max_pixels} pixels, {limits.max_side} on a side",
            got=f"{width} × {height}",
        )


def _format(content: bytes, limits: ImageLimits) -> str | None:
    if (name := heif_format(content)) is not None:
        return name if name in limits.formats else None
    prefix = content[:16]
    Image.init()
    for name in limits.formats:
        accept = None if name in ("AVIF", "HEIF") else Image.OPEN[name][1]
        if accept is not None and accept(prefix) is True:
            return name
    return None


def _size(content: bytes, name: str, pointer: str | None) -> tuple[int, int]:
    try:
        width, height = SIZE_READERS[name](content)
    except (BrokenHeader, IndexError, struct.error) as error:
        why = f": {error}" if isinstance(error, BrokenHeader) else ""
        raise InvalidImage(
            f"The {name} file has a header that cannot be read{why}. The file is broken or cut off.", pointer=pointer
        ) from error
    if width < 1 or height < 1:
        raise InvalidImage(
            f"An image has at least 1 × 1 pixels; the {name} header says {width} × {height}.", pointer=pointer, got=f"{width} × {height}"
        )
    return width, height
