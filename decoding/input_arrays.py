"""Fit an array to an input of a model: its shape, its number type and its range are checked, and nothing is rounded in silence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InvalidParameters
from schemas.models import ModelInput


def fitted(array: NDArray[np.generic], takes: ModelInput, pointer: str | None = None) -> NDArray[np.generic]:
    """Return an array in the shape (without the batch axis) and the number type of a model's input.

    A grey image (H, W) becomes (H, W, 1) where the input has one channel, and a single number becomes (1,) where the input has one value.

    Args:
        array: finite numbers of any of the allowed types.
        takes: the input.
        pointer: the place of the array in the request, for the error.

    Raises:
        InvalidParameters: the input takes another shape, or its number type cannot hold the numbers.
    """
    return _as_type(array.reshape(fitted_shape(array.shape, takes, pointer)), takes, pointer)


def fitted_shape(shape: tuple[int, ...], takes: ModelInput, pointer: str | None = None) -> tuple[int, ...]:
    """Return the shape that an array of `shape` has as a model's input, or raise `InvalidParameters` if the input takes no such shape."""
    grows = len(shape) + 1 == len(takes.shape) and takes.shape[-1] == 1 and len(shape) in (0, 2)
    full = (*shape, 1) if grows else shape
    if len(full) == len(takes.shape) and all(own is None or own == size for own, size in zip(takes.shape, full, strict=True)):
        return full
    raise InvalidParameters(
        f"Input '{takes.name}' takes an array of shape {takes.shape_text}; got {shape}."
        + (" An array is never resized; send a photo if it should be." if takes.takes_photos and len(full) == 3 else ""),
        pointer=pointer,
        allowed=takes.shape_text,
        got=str(shape),
    )


def _as_type(array: NDArray[np.generic], takes: ModelInput, pointer: str | None) -> NDArray[np.generic]:
    try:
        wanted = np.dtype("float32" if takes.dtype == "bfloat16" else takes.dtype)
    except TypeError:
        wanted = np.dtype(object)
    if wanted.kind not in "biuf":
        raise InvalidParameters(
            f"Input '{takes.name}' takes values of type {takes.dtype}. A request can give numbers only, so this input stays empty.",
            pointer=pointer,
            got="numbers",
        )
    lowest, highest = (0, 1) if wanted.kind == "b" else _range(wanted)
    least, most = array.min(), array.max()
    if wanted.kind != "f" and array.dtype.kind == "f" and (array != np.rint(array.astype(np.float64))).any():
        raise InvalidParameters(
            f"Input '{takes.name}' takes whole numbers ({takes.dtype}); got a fraction.", pointer=pointer, allowed="whole numbers"
        )
    if least < lowest or most > highest:
        raise InvalidParameters(
            f"Input '{takes.name}' takes numbers from {lowest} to {highest} ({takes.dtype}); got {least} to {most}.",
            pointer=pointer,
            allowed=f"{lowest} to {highest}",
            got=f"{least} to {most}",
        )
    return array.astype(wanted)


def _range(dtype: np.dtype[np.generic]) -> tuple[float, float]:
    if dtype.kind == "f":
        limits = np.finfo(dtype.name)
        return float(limits.min), float(limits.max)
    whole = np.iinfo(dtype.name)
    return int(whole.min), int(whole.max)
