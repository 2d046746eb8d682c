"""The full gradients of a score, as a probe returns them: the input gradient, and the gradient of every bias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.contract.arrays import Float32


@dataclass(frozen=True)
class FullGradients:
    """The parts that a score is the sum of (Srinivas and Fleuret, arXiv:1905.00780, proposition 1).

    The score is Σ input·gradient plus the sums of all `biases` plus `rest`.

    Attributes:
        gradients: ∂score/∂input, float32 (N, H, W, C).
        biases: for each call of a layer that has a bias, the bias times the gradient of the score at the layer's output, float32 (N, …).
            The keys are paths; `path//1` stands for the second call of a shared layer. What an activation or a product adds to
            its linear part counts as a bias, too.
        rest: what the last step, from the model's output to the score, adds to its linear part, float32 (N,).
        logits, probabilities: the class scores of the same pass, float32 (N, classes).
        class_indices: the class that each example explains, int32 (N,). `TOP_CLASS` has been replaced by the example's top class.
    """

    gradients: Float32
    biases: Mapping[str, Float32]
    rest: Float32
    logits: Float32
    probabilities: Float32
    class_indices: NDArray[np.int32]
