"""Photos without what is looked for: what covers a part of the photo, or where a path to the photo begins."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from schemas.methods.perturbation.base import Baseline
from schemas.models import Preprocessing
from workers.contract.colours import normalise

# σ of the blur as a share of the input's longer side: 11 pixels of 224.
BLUR = 0.05
LEVELS = {"black": 0, "white": 255}


def baseline(kind: Baseline, tensor: Float32[np.ndarray, "h w c"], preprocessing: Preprocessing) -> Float32[np.ndarray, "h w c"]:
    """In the model's input units: the input's own mean colour, black, white, or the input blurred (Gaussian)."""
    if kind == "mean":
        return np.broadcast_to(tensor.mean(axis=(0, 1), dtype=np.float64).astype(np.float32), tensor.shape)
    if kind == "blurred":
        blurred = cv2.GaussianBlur(tensor, (0, 0), BLUR * max(tensor.shape[:2]), borderType=cv2.BORDER_REPLICATE)
        return blurred.reshape(tensor.shape)
    colour = normalise(np.full((1, 1, tensor.shape[-1]), LEVELS[kind], np.uint8), preprocessing)
    return np.broadcast_to(colour, tensor.shape)
