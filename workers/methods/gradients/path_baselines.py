"""Baselines from which the path of a method of integrated gradients begins."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from schemas.methods.gradients.path import PathBaseline
from schemas.models import Preprocessing
from workers.contract.colours import normalise
from workers.methods.baselines import baseline


def path_baseline(
    kind: PathBaseline, image: Float32[np.ndarray, "H W C"], preprocessing: Preprocessing, seed: int | tuple[int, ...]
) -> Float32[np.ndarray, "H W C"]:
    """Return a baseline in the units of the model's input.

    Args:
        kind: `random` for pixels that are drawn evenly from 0-255, or a kind of `workers.methods.baselines`.
        image: the model's input.
        preprocessing: how the model's input was made from an image.
        seed: the seed of random pixels.
    """
    if kind == "random":
        pixels = np.random.default_rng(seed).integers(0, 256, image.shape, np.uint8)
        return normalise(pixels, preprocessing)
    return baseline(kind, image, preprocessing)
