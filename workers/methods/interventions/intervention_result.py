"""This holds what `intervene` has computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from schemas.models import PublishedModel


@dataclass(frozen=True)
class InterventionResult:
    """Scores and activations before and after an intervention.

    Attributes:
        logits, probabilities: before and after, (2, classes).
        own: the layer's output before.
        changed: the layer's output after.
        chosen: which of its values were chosen.
        later: the later layer's output before and after, or None if there is no later layer.
        published: the model.
    """

    logits: Float32[np.ndarray, "2 c"]
    probabilities: Float32[np.ndarray, "2 c"]
    own: Float32[np.ndarray, "*place k"]
    changed: Float32[np.ndarray, "*place k"]
    chosen: Bool[np.ndarray, "*place k"]
    later: tuple[Float32[np.ndarray, "*there l"], ...] | None
    published: PublishedModel
