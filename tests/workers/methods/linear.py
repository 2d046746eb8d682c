"""A model whose logits are Σ weights·input, so that the effect of covering a part of the input can be worked by hand."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np

from schemas.models import PublishedModel
from tests.workers.methods.support import LABELS, FormulaProbe, published
from workers.contract.arrays import Float32
from workers.contract.progress import Slice

Answer = TypeVar("Answer")


class LinearProbe(FormulaProbe):
    """A linear model. `linear` has the weights (classes, H, W, C) of up to three classes."""

    def __init__(self, linear: np.ndarray, preprocessing: object = None) -> None:
        super().__init__(_published(linear, preprocessing))
        self.linear = linear.astype(np.float32)

    def _logits(self, tensor: Float32) -> Float32:
        return (tensor[:, None] * self.linear).sum(axis=(2, 3, 4))


def _published(linear: np.ndarray, preprocessing: object) -> PublishedModel:
    model = published(LABELS[: len(linear)])
    height, width, channels = linear.shape[1:]
    given = model.description.input.model_copy(update={"height": height, "width": width, "channels": channels})
    changes: dict[str, Any] = {"input": given, "classes": len(linear)} | ({"preprocessing": preprocessing} if preprocessing else {})
    return model.model_copy(update={"description": model.description.model_copy(update=changes)})


def driven(run: Generator[Slice, None, Answer]) -> tuple[list[Slice], Answer]:
    """Run a slow method to its end, and return its slices and its result."""
    slices: list[Slice] = []
    while True:
        try:
            slices.append(next(run))
        except StopIteration as stop:
            return slices, stop.value
