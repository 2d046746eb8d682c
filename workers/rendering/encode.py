"""Pictures, animations and arrays → bytes; the same array gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.contract.artifacts import Animation, Array, Document, Picture

# Level 1 of OpenCV takes half the time of Pillow's level 1 for the same size; the filter UP alone takes half the time of
# choosing among all five a row (OpenCV 5's default) for the same size, on overlays, charts and grids.
PNG_SETTINGS = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)


def content(artifact: Picture | Animation | Array | Document) -> bytes:
    """An artifact as it is stored."""
    match artifact:
        case Picture():
            return png(artifact.image)
        case Animation():
            return webp_animation(artifact.frames, artifact.milliseconds, artifact.hold)
        case Array():
            return npy(artifact.array)
        case Document():
            return artifact.text.encode()


def png(image: NDArray[Any]) -> bytes:
    """PNG of a uint8 RGB picture.

    Raises:
        ValueError: not uint8 RGB with at least one pixel.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"a picture is uint8 (H, W, 3) with at least one pixel, got {image.dtype} {image.shape}")
    bgr = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    encoded, content = cv2.imencode(".png", bgr, PNG_SETTINGS)
    if not encoded:
        raise ValueError(f"no PNG could be made of a picture of shape {image.shape}")
    return content.tobytes()


def webp_animation(frames: NDArray[Any], milliseconds: int, hold: int) -> bytes:
    """WebP of uint8 RGB frames (n, H, W, 3), each shown for `milliseconds` and the last for `hold`, without end.

    Not lossless, as a picture is: frames of a forming image share little, and would take five to six times the bytes.

    Raises:
        ValueError: not uint8 RGB with at least one frame.
    """
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or frames.size == 0:
        raise ValueError(f"an animation is uint8 (n, H, W, 3) with at least one frame, got {frames.dtype} {frames.shape}")
    first, *rest = map(Image.fromarray, frames)
    file = io.BytesIO()
    durations = [milliseconds] * len(rest) + [hold]
    first.save(file, "WEBP", save_all=True, append_images=rest, duration=durations, loop=0, quality=85, method=2)
    return file.getvalue()


def npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """An `.npz` file, not compressed: floats hardly shrink."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def arrays(npz: bytes) -> dict[str, NDArray[Any]]:
    """What `npz` made."""
    with np.load(io.BytesIO(npz), allow_pickle=False) as file:
        return dict(file)


def npy(array: NDArray[Any]) -> bytes:
    """The `.npy` file of an array: little-endian, C order, never a pickle."""
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    file = io.BytesIO()
    np.save(file, little, allow_pickle=False)
    return file.getvalue()
