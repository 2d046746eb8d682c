"""Cover parts of an image by a blur, by inpainting or by one colour, as `maskers.Image` of the package shap does."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from schemas.methods.perturbation.partition_shap import PartitionShap
from schemas.models import Preprocessing
from workers.contract.colours import input_to_rgb, normalise
from workers.methods.baselines import baseline

INPAINT_RADIUS = 3

CoverUp = Callable[[Bool[np.ndarray, "H W C"]], Float32[np.ndarray, "H W C"]]
"""A function that takes where an image is visible, and returns the image with the rest of it covered."""


def cover_up(image: Float32[np.ndarray, "H W C"], preprocessing: Preprocessing, params: PartitionShap) -> CoverUp:
    """Return the function that covers parts of an image.

    Args:
        image: the model's input.
        preprocessing: how the model's input was made from an image.
        params: what covers the image, and how wide the blur is.
    """
    match params.baseline:
        case "inpaint_telea":
            return _inpainting(image, preprocessing, cv2.INPAINT_TELEA)
        case "inpaint_ns":
            return _inpainting(image, preprocessing, cv2.INPAINT_NS)
        case "blur":
            hidden = box_blur(image, params.blur_side(*image.shape[:2]))
        case colour:
            hidden = baseline(colour, image, preprocessing)
    return lambda visible: np.where(visible, image, hidden)


def box_blur(image: Float32[np.ndarray, "H W C"], side: int) -> Float32[np.ndarray, "H W C"]:
    """Return the mean over a square around each pixel. The image is mirrored at its edges."""
    return cv2.blur(image, (side, side)).reshape(image.shape)


def _inpainting(image: Float32[np.ndarray, "H W C"], preprocessing: Preprocessing, way: int) -> CoverUp:
    """Return the function that continues the visible parts. A pixel with a covered channel is covered as a whole.

    OpenCV inpaints 8-bit pictures, so what covers the image has whole numbers of grey levels. Nothing can be continued if all is covered:
    then the image gets its mean colour.
    """
    pixels = input_to_rgb(image, preprocessing)[..., : image.shape[-1]]
    mean = baseline("mean", image, preprocessing)

    def covered(visible: Bool[np.ndarray, "H W C"]) -> Float32[np.ndarray, "H W C"]:
        hidden = np.any(~visible, axis=-1, keepdims=True)
        if hidden.all():
            return mean
        filled = cv2.inpaint(pixels, hidden[..., 0].astype(np.uint8), INPAINT_RADIUS, way).reshape(pixels.shape)
        return np.where(hidden, normalise(filled, preprocessing), image)

    return covered
