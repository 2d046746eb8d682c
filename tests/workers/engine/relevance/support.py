"""Relevance of small models, computed by the probe."""

from __future__ import annotations

import keras
import numpy as np

from schemas.methods.relevance.rules import COMPOSITES, Composite
from tests.workers.engine.support import probe_of
from workers.contract.relevance import InputRange, RelevanceRules, Relevances
from workers.engine.probe import KerasProbe


def composite(name: Composite, **numbers: float) -> RelevanceRules:
    return RelevanceRules(*COMPOSITES[name], **numbers)


def relevances(
    model: keras.Model | KerasProbe,
    x: np.ndarray,
    rules: RelevanceRules,
    classes: list[int] | None = None,
    ends: tuple[float, float] = (0, 4),
) -> Relevances:
    """Return the relevance of the inputs x for these classes, or for the top classes. The input is from `ends[0]` to `ends[1]`."""
    probe = model if isinstance(model, KerasProbe) else probe_of(model)
    values = InputRange(np.full_like(x, ends[0]), np.full_like(x, ends[1]))
    return probe.relevances(x, np.array(classes or [-1] * len(x), np.int32), rules, values)
