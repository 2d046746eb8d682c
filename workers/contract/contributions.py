"""The contributions of a model's input to the difference between the scores of two inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.contract.arrays import Float32


@dataclass(frozen=True)
class Contributions:
    """The contribution of each value of the input to what a class's score gains over a baseline.

    Attributes:
        contributions: float32 (N, H, W, C). Those of an example sum to its logit minus that of its baseline.
        logits, probabilities: the class scores of the inputs, float32 (N, classes).
        baseline_logits: the logits of the baselines, float32 (N, classes).
        class_indices: the class that each example explains, int32 (N,). `TOP_CLASS` has been replaced by the example's top class.
    """

    contributions: Float32
    logits: Float32
    probabilities: Float32
    baseline_logits: Float32
    class_indices: NDArray[np.int32]
