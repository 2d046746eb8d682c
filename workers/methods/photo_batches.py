"""Several photos through the model, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from schemas.errors import NonFinite
from schemas.models import ModelDescription
from workers.contract.inputs import Prepared
from workers.contract.probe import Forward, Probe
from workers.methods.batch_sizes import batch_size


@dataclass(frozen=True)
class Pass:
    """Images in order, the first of them number `first`, and what the model answered."""

    first: int
    images: Sequence[Prepared]
    found: Forward


def passes(
    probe: Probe,
    several: Sequence[Prepared],
    layers: Sequence[str] = (),
    *,
    scores: bool = False,
    output: str | None = None,
    precision: str = "float32",
) -> Iterator[Pass]:
    """All of `several` in order, as many at a time as one forward pass should take, those of a pass of one size.

    Raises:
        NonFinite: naming the image's number.
    """

    def forward(images: Sequence[Prepared]) -> Forward:
        return probe.forward(np.stack([each.tensor for each in images]), layers, scores=scores, output=output, precision=precision)

    for batch in _batches(probe.description, several):
        images = several[batch]
        try:
            found = forward(images)
        except NonFinite:
            for number, image in enumerate(images, batch.start):
                with naming(number):
                    forward([image])
            raise
        yield Pass(batch.start, images, found)


@contextmanager
def naming(number: int) -> Iterator[None]:
    """An image whose scores or activations are not finite is named by its number."""
    try:
        yield
    except NonFinite as error:
        raise NonFinite(f"Image {number}: {error.detail}") from error


def _batches(model: ModelDescription, several: Sequence[Prepared]) -> Iterator[slice]:
    start = 0
    while start < len(several):
        shape = several[start].tensor.shape
        stop, most = start + 1, start + batch_size(model, (shape[0], shape[1]))
        while stop < min(most, len(several)) and several[stop].tensor.shape == shape:
            stop += 1
        yield slice(start, stop)
        start = stop
