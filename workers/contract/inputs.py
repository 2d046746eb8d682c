"""The inputs that a method is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rendering.photo import Photo
from schemas.models import Preprocessing
from workers.contract.arrays import Arrays, Float32, UInt8
from workers.contract.probe import Probe
from workers.contract.progress import Pieces


@dataclass(frozen=True)
class Prepared:
    """A photo, or the picture of an array, and the input that was made of it, float32 (H, W, C), preprocessed."""

    photo: Photo
    tensor: Float32


@dataclass(frozen=True)
class BoundInputs:
    """The values that a job gives to the inputs of its model, if it gives more than a photo for the input that takes the photo.

    Attributes:
        name: the input that takes the batch.
        values: the values (1, …) of other inputs by name.
        preprocessing: how the batch was made from its images.
        key: equal for jobs that give the same. Only such jobs can share a batch.
    """

    name: str
    values: Mapping[str, NDArray[np.generic]]
    preprocessing: Preprocessing
    key: str


@dataclass(frozen=True)
class FurtherModel:
    """Another model that a job runs, and the images of the job as the inputs of this model, in their order."""

    probe: Probe
    several: tuple[Prepared, ...]


@dataclass(frozen=True)
class Inputs:
    """The inputs that a method computes with.

    Attributes:
        tensor: the batch of inputs, float32 (N, H, W, C), preprocessed. It is empty (N = 0) if the method needs no image.
        image: slow lane only: the image that the input was made of, uint8 RGB (H, W, 3).
        several: slow lane only, for a method whose parameters name `images`: each of them, in this order. Their sizes differ if the model
            takes inputs of any size.
        photos: the photo of each input, in the order of the batch. It is empty if the method needs no image.
        target_image: the image that the parameters name beside the photo: a mask or an image to compare with, which the target names, or
            the parameter `other_image`. All jobs of a batch name the same. It is None if they name none.
        region_masks: slow lane only: the mask images that the parameters `region` and `regions` name, by their ids.
        further: slow lane only, for a method whose parameters name `models`: each of them, in this order.
        sets: slow lane only, for a method whose parameters name sets of photos (`PhotoSetsParams`): the photos of each set, by the name of
            the parameter, in the order of the parameters. A photo that several sets name is in memory once.
        pieces: slow lane only, for a method with `reusable`: the pieces of the work that earlier jobs have left.
    """

    tensor: Float32
    image: UInt8 | None = None
    several: tuple[Prepared, ...] = ()
    photos: tuple[Photo, ...] = ()
    target_image: Prepared | None = None
    region_masks: Mapping[str, Prepared] = field(default_factory=dict[str, Prepared])
    further: tuple[FurtherModel, ...] = ()
    sets: Mapping[str, tuple[tuple[Prepared, ...], ...]] = field(default_factory=dict[str, tuple[tuple[Prepared, ...], ...]])
    pieces: Pieces = field(default_factory=dict[str, Arrays])
