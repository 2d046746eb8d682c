"""A photo, and what a model takes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from workers.contract.arrays import Arrays, Float32, UInt8
from workers.contract.progress import Pieces


@dataclass(frozen=True)
class Placement:
    """Where the photo lies in the model's input, so that a map over the input can be brought back onto the photo.

    `box` is (top, left, height, width) in input pixels of the area that `source` fills; `source` is (top, left, height,
    width) in photo pixels of the part of the photo that was used. Stretch: all of both. Crop: a part of the photo fills
    all of the input. Letterbox: all of the photo fills a part of the input.
    """

    input_size: tuple[int, int]
    box: tuple[float, float, float, float]
    source: tuple[float, float, float, float]


@dataclass(frozen=True)
class Photo:
    """The caller's image as decoded: uint8 RGB (H, W, 3), and where it lies in the input."""

    image: UInt8
    placement: Placement


@dataclass(frozen=True)
class Prepared:
    """A photo and what the model takes of it: float32 (H, W, C), preprocessed."""

    photo: Photo
    tensor: Float32


@dataclass(frozen=True)
class Inputs:
    """A batch as the model takes it. `tensor`: float32 (N, H, W, C), preprocessed; empty (N = 0) where a method needs no image.

    Slow lane alone: `image`, what the tensor was made of, the caller's image as decoded, uint8 RGB (H, W, 3); and, of a method whose
    parameters name `images`, each of `several`. Their sizes differ where the model takes any. Of a method with `reusable`: the
    `pieces` of its work that are at hand.
    """

    tensor: Float32
    image: UInt8 | None = None
    several: tuple[Prepared, ...] = ()
    pieces: Pieces = field(default_factory=dict[str, Arrays])
