"""Convert between RGB pixels and the units and colour order of a model's input."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, UInt8

from schemas.models import Preprocessing


def normalise(pixels: UInt8[np.ndarray, "*n c"] | Float32[np.ndarray, "*n c"], spec: Preprocessing) -> Float32[np.ndarray, "*n c"]:
    """Return `(x − mean) / std` of RGB or grey pixels, which have the values 0–255 or, as float32, any.

    The channels are brought into the order `spec.order` first.
    """
    ordered = pixels[..., ::-1] if spec.order == "bgr" else pixels
    values = ordered.astype(np.float32)  # the two steps below write into this copy, because large new arrays cost time
    values -= np.array(spec.mean, np.float32)
    values /= np.array(spec.std, np.float32)
    return values


def to_rgb(tensor: Float[np.ndarray, "*n c"], spec: Preprocessing) -> Float[np.ndarray, "*n 3"]:
    """Return RGB in units of 0–255, not clipped, from values in the units of the input. It is the inverse of `normalise`.

    An input with one channel becomes three equal channels.
    """
    pixels = tensor * np.asarray(spec.std, tensor.dtype) + np.asarray(spec.mean, tensor.dtype)
    if pixels.shape[-1] == 1:
        return np.repeat(pixels, 3, axis=-1)
    return pixels[..., ::-1] if spec.order == "bgr" else pixels


def input_to_rgb(tensor: Float32[np.ndarray, "h w c"], spec: Preprocessing) -> UInt8[np.ndarray, "h w 3"]:
    """Return the picture that an input shows. Values that are not finite become black."""
    return np.clip(np.rint(np.nan_to_num(to_rgb(tensor, spec), posinf=0, neginf=0)), 0, 255).astype(np.uint8)
