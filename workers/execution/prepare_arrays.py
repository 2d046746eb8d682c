"""Turn the array that a request gives for an image into a model's input, without resizing it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from decoding.input_arrays import fitted
from rendering.bands import shown_bands
from rendering.photo import Photo, Placement
from schemas.models import ModelInput, Preprocessing
from workers.contract.arrays import Float32
from workers.contract.inputs import Prepared


def array_preprocessing(takes: ModelInput, dtype: np.dtype[np.generic]) -> Preprocessing:
    """Return how an array of this number type becomes the input: unchanged, unless the model's settings say `preprocessed`.

    The scale tells methods which values of the input are black (0) and white: the largest number of an integer type, and 1 for floats.
    """
    if takes.arrays == "preprocessed" and takes.preprocessing is not None:
        return takes.preprocessing
    white = 1.0 if dtype.kind in "fb" else float(np.iinfo(dtype.name).max)
    return Preprocessing(mode="custom", mean=(0.0,), std=(255.0 / white,))


def prepare_array(array: NDArray[np.generic], takes: ModelInput, bands: Sequence[int] = ()) -> Prepared:
    """Return the input (H, W, C) float32 that an array gives, and the picture that stands for it.

    Args:
        array: (H, W, C), or (H, W) for one channel.
        takes: the input. With `arrays` preprocessed, the array's channels stand in the order red, green, blue if there are three.
        bands: the channels that are shown. None of them stands for those of the model's settings, or else the first three.

    Raises:
        InvalidParameters: the input takes arrays of another shape.
    """
    values = fitted(array, takes).astype(np.float32)
    if takes.arrays == "preprocessed" and takes.preprocessing is not None:
        values = _normalised(values, takes.preprocessing)
    height, width = values.shape[:2]
    whole = (0.0, 0.0, float(height), float(width))
    picture = shown_bands(array, tuple(bands) or takes.bands or ())
    return Prepared(Photo(picture, Placement((height, width), whole, whole)), values)


def _normalised(values: Float32, rule: Preprocessing) -> Float32:
    ordered = values[..., ::-1] if rule.order == "bgr" else values
    return (ordered - np.array(rule.mean, np.float32)) / np.array(rule.std, np.float32)
