"""What an image file's header says, read before anything is decoded."""

from __future__ import annotations

import base64
import binascii
import io
import struct
from dataclasses import dataclass

from PIL import Image

from schemas.errors import BodyTooLarge, ImageTooLarge, InvalidImage, UnsupportedFormat
from schemas.images import ImageLimits


@dataclass(frozen=True)
class ImageHeader:
    """`format` is Pillow's name; width and height in pixels, before EXIF orientation."""

    format: str
    width: int
    height: int


def decode_base64(text: str, max_bytes: int, pointer: str) -> bytes:
    """The bytes that `text` (RFC 4648, standard alphabet) stands for.

    Raises:
        BodyTooLarge: more than `max_bytes`, counted before anything is decoded.
        InvalidImage: not base64.
    """
    size = len(text) * 3 // 4 - text[-2:].count("=")
    if size > max_bytes:
        raise BodyTooLarge(
            f"An image given as base64 has at most {max_bytes:,} bytes, decoded; got {size:,}. Larger: a file part, or POST /v1/images.",
            pointer=pointer,
            allowed=f"at most {max_bytes} bytes",
            got=f"{size} bytes",
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidImage(
            f"The image is not valid base64 (standard alphabet, padded, no line breaks, no 'data:' prefix): {error}.", pointer=pointer
        ) from None


def check_image(content: bytes, limits: ImageLimits, pointer: str | None = None) -> ImageHeader:
    """Format and dimensions of an image file, within `limits`.

    Each format's own plugin is asked, not `Image.open`: that one does not tell a foreign file from a broken header, and has a
    limit of its own on pixels.

    Raises:
        BodyTooLarge, UnsupportedFormat, InvalidImage (the header is broken), ImageTooLarge
    """
    if len(content) > limits.max_bytes:
        raise BodyTooLarge(
            f"An image file has at most {limits.max_bytes:,} bytes; got {len(content):,}.",
            pointer=pointer,
            allowed=f"at most {limits.max_bytes} bytes",
            got=f"{len(content)} bytes",
        )
    name = _format(content[:16], limits)
    if name is None:
        formats = ", ".join(limits.formats)
        raise UnsupportedFormat(
            f"The file's content is none of {formats} (its name and Content-Type do not count).", pointer=pointer, allowed=formats
        )
    if name == "WEBP" and (canvas := _webp_canvas(content)):
        # Pillow's decoder gets the memory of the whole canvas as soon as it sees the header.
        _check_size(*canvas, limits, pointer)
    width, height = _size(content, name, pointer)
    _check_size(width, height, limits, pointer)
    return ImageHeader(name, width, height)


def _check_size(width: int, height: int, limits: ImageLimits, pointer: str | None) -> None:
    if width > limits.max_side or height > limits.max_side or width * height > limits.max_pixels:
        raise ImageTooLarge(
            f"An image has at most {limits.max_pixels:,} pixels and {limits.max_side:,} on a side; got {width:,} × {height:,} = "
            f"{width * height:,}.",
            pointer=pointer,
            allowed=f"at most {limits.max_pixels} pixels, {limits.max_side} on a side",
            got=f"{width} × {height}",
        )


def _webp_canvas(content: bytes) -> tuple[int, int] | None:
    """Width and height by the first chunk (RFC 9649, 2.5 to 2.7); None where it is none of the three kinds."""
    chunk = content[12:16]
    if chunk == b"VP8 " and len(content) >= 30:
        return int.from_bytes(content[26:28], "little") & 0x3FFF, int.from_bytes(content[28:30], "little") & 0x3FFF
    if chunk == b"VP8L" and len(content) >= 25:
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8X" and len(content) >= 30:
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    return None


def _format(prefix: bytes, limits: ImageLimits) -> str | None:
    Image.init()
    for name in limits.formats:
        accept = Image.OPEN[name][1]
        if accept is not None and accept(prefix) is True:
            return name
    return None


def _size(content: bytes, name: str, pointer: str | None) -> tuple[int, int]:
    try:
        with Image.OPEN[name][0](io.BytesIO(content), "") as image:
            width, height = image.size
    except Image.DecompressionBombError as error:  # a frame larger than what the header says first
        raise ImageTooLarge(f"The {name} file holds too many pixels: {error}.", pointer=pointer) from error
    # What Pillow's plugins raise at headers that are cut off or make no sense.
    except (SyntaxError, IndexError, TypeError, ValueError, KeyError, OSError, OverflowError, EOFError, struct.error) as error:
        raise InvalidImage(f"The {name} header cannot be read: the file is broken or cut off.", pointer=pointer) from error
    if width < 1 or height < 1:
        raise InvalidImage(f"The {name} header says {width} × {height} pixels.", pointer=pointer, got=f"{width} × {height}")
    return width, height
