"""Thumbnails: pictures that are made smaller for pages that show many of them."""

from __future__ import annotations

import io
from typing import Annotated

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from decoding.decode_image import narrowed
from rendering import encode
from schemas.artifacts import Representation
from service.converters import LONGEST_WEBP_SIDE
from service.representations import choose_from

NARROWEST, WIDEST = 16, 2048  # pixels
FORMATS = (Representation("webp", "image/webp"), Representation("jpeg", "image/jpeg"), Representation("png", "image/png"))

ThumbnailWidth = Annotated[
    int | None,
    Query(
        ge=NARROWEST,
        le=WIDEST,
        description=f"Send a thumbnail of at most this width, {NARROWEST}-{WIDEST} pixels. The aspect ratio stays, and a picture is never "
        "enlarged. The format is WebP if `Accept` allows it, and otherwise JPEG or PNG.",
        examples=[320],
    ),
]


def thumbnail_format(accept: str | None, wanted: str | None, longest_side: int) -> Representation:
    """Return the format of a thumbnail: the one named `wanted`, or the one that `Accept` prefers. WebP comes first if it is allowed.

    Args:
        accept: the header `Accept`.
        wanted: the name of a format, or None.
        longest_side: the longer side of the whole picture, in pixels. WebP has no picture with a side of more than 16,383.

    Raises:
        NotAcceptable: a thumbnail is not available in what is asked for.
    """
    offered = FORMATS if longest_side <= LONGEST_WEBP_SIDE else FORMATS[1:]
    return choose_from(offered, accept, wanted, "This is a thumbnail.")


def thumbnail_of_png(png: bytes, width: int, representation: Representation) -> bytes:
    """Return a thumbnail of a PNG file that this service or a worker has made."""
    with PngImagePlugin.PngImageFile(io.BytesIO(png)) as image:  # `Image.open` refuses an image of very many pixels
        return _encoded(narrowed(image.convert("RGB"), width), representation)


def thumbnail_of_pixels(pixels: NDArray[np.uint8], width: int, representation: Representation) -> bytes:
    """Return a thumbnail of a picture, uint8 RGB (H, W, 3)."""
    return _encoded(narrowed(Image.fromarray(pixels), width), representation)


def _encoded(image: Image.Image, representation: Representation) -> bytes:
    if representation.name == "png":
        return encode.png(np.asarray(image))
    file = io.BytesIO()
    if representation.name == "webp":
        image.save(file, "WEBP", quality=85, method=2)
    else:
        # The edges in a heatmap differ in colour alone, so the colour channels keep their full resolution.
        image.save(file, "JPEG", quality=88, subsampling="4:4:4")
    return file.getvalue()
