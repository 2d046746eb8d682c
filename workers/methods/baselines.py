"""Baselines: inputs without the object. They cover a part of the image, or a path from a baseline to the image starts there."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from schemas.methods.perturbation.base import Baseline
from schemas.models import Preprocessing
from workers.contract.colours import normalise

# The σ of the blur as a share of the input's longer side: 11 pixels for a side of 224.
BLUR = 0.05
LEVELS = {"black": 0, "white": 255}


def baseline(kind: Baseline, tensor: Float32[np.ndarray, "h w c"], preprocessing: Preprocessing) -> Float32[np.ndarray, "h w c"]:
    """Return a baseline in the units of the model's input.

    Args:
        kind: `mean` for the mean colour of the input, `black`, `white`, or `blurred` for the input under a Gaussian blur.
        tensor: the model's input.
        preprocessing: how the model's input was made from an image.
    """
    if kind == "mean":
        return np.broadcast_to(tensor.mean(axis=(0, 1), dtype=np.float64).astype(np.float32), tensor.shape)
    if kind == "blurred":
        blurred = cv2.GaussianBlur(tensor, (0, 0), BLUR * max(tensor.shape[:2]), borderType=cv2.BORDER_REPLICATE)
        return blurred.reshape(tensor.shape)
    colour = normalise(np.full((1, 1, tensor.shape[-1]), LEVELS[kind], np.uint8), preprocessing)
    return np.broadcast_to(colour, tensor.shape)
