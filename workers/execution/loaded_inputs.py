"""The inputs of one job: what the loader returns and the pipeline works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rendering.photo import Photo
from schemas.models import Fit
from workers.contract.inputs import BoundInputs, Inputs, Prepared


@dataclass(frozen=True)
class Frame:
    """A frame of an animation: its number in the file, from 0, and the milliseconds that it is shown."""

    prepared: Prepared
    number: int
    milliseconds: int


@dataclass(frozen=True)
class LoadedInputs:
    """The inputs of one job.

    `photo` is None if the method needs no image. `seconds` is the time that decoding and preparing took, and None if the job has no
    images. `bound` is None if the job gives its model nothing but a photo. `given` are the ids of the files that the model's inputs were
    given, by the inputs' names. `fit` is how the photo was brought to the model's input; it is None if the job shows the model no photo.
    `frames` are the frames of the image, if the job asks for them; `inputs` and `photo` are then those of the first frame.
    `sized` says that the job gives the size of the photo in the model's input, and `kept_bits` that the model gets the values of a photo of
    16-bit grey as they are.
    """

    inputs: Inputs
    photo: Photo | None
    seconds: float | None
    bound: BoundInputs | None = None
    given: Mapping[str, str] = field(default_factory=dict[str, str])
    fit: Fit | None = None
    frames: tuple[Frame, ...] = ()
    sized: bool = False
    kept_bits: bool = False

    def of_frame(self, frame: Frame) -> LoadedInputs:
        """Return the inputs of one of the frames, as if it were the image of the job."""
        prepared = frame.prepared
        inputs = replace(self.inputs, tensor=prepared.tensor[None], image=prepared.photo.image, photos=(prepared.photo,))
        return replace(self, inputs=inputs, photo=prepared.photo, frames=())
