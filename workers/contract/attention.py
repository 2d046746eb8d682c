"""The attention that tokens pay to each other in a model, and how a class score depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.contract.arrays import Float32


@dataclass(frozen=True)
class Attentions:
    """The attention probabilities of some layers.

    Attributes:
        layers: for each call of a layer (`path`, or `path//1` for the second call), in the order in which the model makes them, the
            probabilities of each head, float32 (N, heads, T, S): the weight that each of T queries gives to each of S keys. Each row sums
            to 1. Attention over a map has (N, heads, h, w, h, w).
        logits, probabilities: the class scores, float32 (N, classes), or None if they were not asked for or the model has no classes.
    """

    layers: Mapping[str, Float32]
    logits: Float32 | None = None
    probabilities: Float32 | None = None


@dataclass(frozen=True)
class AttentionGradients:
    """The attention probabilities of some layers, and the gradient of a class score by them.

    Attributes:
        layers: the probabilities, as in `Attentions`.
        gradients: ∂score/∂probabilities for each entry of `layers`, of the same shape.
        logits, probabilities: the class scores of the same pass, float32 (N, classes).
        class_indices: the class that each example explains, int32 (N,). `TOP_CLASS` has been replaced by the example's top class.
    """

    layers: Mapping[str, Float32]
    gradients: Mapping[str, Float32]
    logits: Float32
    probabilities: Float32
    class_indices: NDArray[np.int32]
