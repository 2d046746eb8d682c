"""Convert between a model's input and the units of a photo, 0-255, without a change of the order of channels."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64

from schemas.models import Preprocessing


def as_pixels(tensor: Float32[np.ndarray, "*n H W C"], spec: Preprocessing) -> Float64[np.ndarray, "*n H W C"]:
    """Return an input in units of 0-255, in the order of its own channels: x·std + mean."""
    return tensor * np.asarray(spec.std, np.float64) + np.asarray(spec.mean, np.float64)


def as_input(pixels: Float64[np.ndarray, "*n H W C"], spec: Preprocessing) -> Float32[np.ndarray, "*n H W C"]:
    """Return the input of pixels in the order of its channels. This is the inverse of `as_pixels`."""
    return ((pixels - np.asarray(spec.mean, np.float64)) / np.asarray(spec.std, np.float64)).astype(np.float32)
