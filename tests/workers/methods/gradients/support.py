"""Probes and helpers that the tests of gradient methods share. The model's logits are Σ W_c·x², so that ∂y/∂x = 2·W_c·x."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.photo import Photo
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.models import Preprocessing
from tests.drawn import drawn
from tests.workers.methods.support import FormulaProbe, batch, published
from workers.contract.arrays import Float32
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import InputGradients
from workers.methods.gradients import saliency
from workers.methods.gradients.input_attribution import InputAttribution

W = FormulaProbe.WEIGHTS


class Recorded(FormulaProbe):
    """Keeps the arguments of each call, and returns a given number of ReLUs."""

    def __init__(self, model: Any = None, *, relus: int = 3) -> None:
        super().__init__(model)
        self.asked: list[dict[str, Any]] = []
        self.rows: list[int] = []
        self._relus = relus

    def input_gradients(self, tensor: Float32, class_indices: Any, **asked: Any) -> InputGradients:
        self.asked.append(asked)
        self.rows.append(len(tensor))
        found = super().input_gradients(tensor, class_indices, score=asked["score"])
        return InputGradients(found.gradients, found.logits, found.probabilities, found.class_indices, self._relus)


def resolved(method: str, **params: Any) -> Any:
    return METHODS[method].model_validate(params).resolve(published(), MethodLimits())


def by_name(output: Output, photo: Photo | None = None) -> dict[str, np.ndarray]:
    """Return pictures and arrays by name. An overlay is among them if its photo is given."""
    shown = (output if photo is None else drawn(output, photo)).artifacts
    arrays = {each.name: each.array for each in shown if isinstance(each, Array)}
    return {each.name: each.image for each in shown if isinstance(each, Picture)} | arrays


def attribution(values: np.ndarray, maps: np.ndarray, *, relus: int = 1, order: Any = "rgb") -> InputAttribution:
    found = saliency.run(FormulaProbe(), Inputs(batch(1)), [resolved("saliency", class_index=tuple(range(len(values))))])[0]
    preprocessing = Preprocessing(order=order)
    return InputAttribution(values.astype(np.float32), maps.astype(np.float32), found.classes, len(values) > 1, preprocessing, relus)
