"""Colours as the model's input has them, and back."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, UInt8

from schemas.models import Preprocessing


def normalise(pixels: UInt8[np.ndarray, "*n c"], spec: Preprocessing) -> Float32[np.ndarray, "*n c"]:
    """`(x − mean) / std`, RGB (or luma) pixels 0–255 brought to `spec.order` first."""
    ordered = pixels[..., ::-1] if spec.order == "bgr" else pixels
    return (ordered.astype(np.float32) - np.array(spec.mean, np.float32)) / np.array(spec.std, np.float32)


def to_rgb(tensor: Float[np.ndarray, "*n c"], spec: Preprocessing) -> Float[np.ndarray, "*n 3"]:
    """RGB in 0–255 units (not clipped) of what is in input units: the inverse of `normalise`; one channel becomes three."""
    pixels = tensor * np.asarray(spec.std, tensor.dtype) + np.asarray(spec.mean, tensor.dtype)
    if pixels.shape[-1] == 1:
        return np.repeat(pixels, 3, axis=-1)
    return pixels[..., ::-1] if spec.order == "bgr" else pixels


def input_to_rgb(tensor: Float32[np.ndarray, "h w c"], spec: Preprocessing) -> UInt8[np.ndarray, "h w 3"]:
    """An input as the picture that it shows; what is not finite is black."""
    return np.clip(np.rint(np.nan_to_num(to_rgb(tensor, spec), posinf=0, neginf=0)), 0, 255).astype(np.uint8)
