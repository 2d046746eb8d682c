"""Run the model on several photos, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from schemas.errors import NonFinite
from workers.contract.inputs import Prepared
from workers.contract.probe import Forward, Probe


@dataclass(frozen=True)
class PhotoBatch:
    """Some consecutive images and the model's outputs for them. `first` is the number of the first image, counted from 0."""

    first: int
    images: Sequence[Prepared]
    found: Forward


def forward_in_batches(
    probe: Probe,
    several: Sequence[Prepared],
    layers: Sequence[str] = (),
    *,
    scores: bool = False,
    output: str | None = None,
    precision: str = "float32",
) -> Iterator[PhotoBatch]:
    """Yield all images in order, in batches of one input size. A batch has as many images as one forward pass should take.

    Args:
        probe: The model.
        several: The images.
        layers: Paths of the layers whose activations are wanted.
        scores: Whether logits and probabilities are wanted.
        output: The output that gives them. None stands for the first.
        precision: The arithmetic of the forward pass.

    Raises:
        NonFinite: The scores or activations of an image are not finite. The error names the image by its number.
    """

    def forward(images: Sequence[Prepared]) -> Forward:
        return probe.forward(np.stack([each.tensor for each in images]), layers, scores=scores, output=output, precision=precision)

    for batch in photo_slices(probe, several):
        images = several[batch]
        try:
            found = forward(images)
        except NonFinite:
            for number, image in enumerate(images, batch.start):
                with name_image(number):
                    forward([image])
            raise
        yield PhotoBatch(batch.start, images, found)


def these_photos(count: int) -> str:
    """Return the photos of a job in words, for errors and warnings: "this photo" or "these 3 photos"."""
    return "this photo" if count == 1 else f"these {count} photos"


@contextmanager
def name_image(number: int) -> Iterator[None]:
    """Put an image's number before the text of a `NonFinite` error that is raised inside."""
    try:
        yield
    except NonFinite as error:
        raise NonFinite(f"Image {number}: {error.detail}") from error


def photo_slices(probe: Probe, several: Sequence[Prepared], *, gradient: bool = False) -> Iterator[slice]:
    """Yield slices that cover all images in order. The images of a slice have one input size, and one pass takes them.

    With `gradient`, this is about passes that also compute gradients.
    """
    start = 0
    while start < len(several):
        shape = several[start].tensor.shape
        stop, most = start + 1, start + probe.inputs_per_pass((shape[0], shape[1]), gradient=gradient)
        while stop < min(most, len(several)) and several[stop].tensor.shape == shape:
            stop += 1
        yield slice(start, stop)
        start = stop
