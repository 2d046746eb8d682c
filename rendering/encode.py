"""Encode pictures, animations and arrays as bytes. Equal pixels and numbers give equal bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rendering.png_file import rgb_file


def png(image: NDArray[Any]) -> bytes:
    """Return the PNG file of a picture, uint8 RGB (H, W, 3).

    Raises:
        ValueError: The picture has another dtype or shape, or it has no pixel.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"a picture must be uint8 (H, W, 3) with at least one pixel, but it is {image.dtype} {image.shape}")
    return rgb_file(np.ascontiguousarray(image))


def webp_animation(frames: NDArray[Any], milliseconds: Sequence[int]) -> bytes:
    """Return the WebP file of frames, uint8 RGB (n, H, W, 3), that repeats without end.

    Each frame is shown for as many milliseconds as `milliseconds` says. Unlike a picture, an animation is not lossless:
    the frames of an image that forms have little in common, so lossless frames take five to six times the bytes.

    Raises:
        ValueError: The frames have another dtype or shape, or there is none, or there is not one duration for each.
    """
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or frames.size == 0:
        raise ValueError(f"an animation must be uint8 (n, H, W, 3) with at least one frame, but it is {frames.dtype} {frames.shape}")
    if len(milliseconds) != len(frames):
        raise ValueError(f"there are {len(frames)} frames and {len(milliseconds)} durations")
    first, *rest = map(Image.fromarray, frames)
    file = io.BytesIO()
    first.save(file, "WEBP", save_all=True, append_images=rest, duration=list(milliseconds), loop=0, quality=85, method=2)
    return file.getvalue()


def npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the `.npz` file of the arrays. It is not compressed, because floats hardly shrink."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def arrays(npz: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an `.npz` file that `npz` made."""
    with np.load(io.BytesIO(npz), allow_pickle=False) as file:
        return dict(file)


def array(npy: bytes) -> NDArray[Any]:
    """Return the array of an `.npy` file that `npy` made."""
    return np.load(io.BytesIO(npy), allow_pickle=False)


def npy(array: NDArray[Any]) -> bytes:
    """Return the `.npy` file of an array: little-endian, C order.

    Raises:
        ValueError: The array holds Python objects, which would need a pickle.
    """
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    file = io.BytesIO()
    np.save(file, little, allow_pickle=False)
    return file.getvalue()
