"""What gradient ascent needs, and where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas.methods.synthesis.parametrisations import ParametrisationName
from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from workers.contract.arrays import Float32


@dataclass(frozen=True)
class Term:
    """A part of a sum: the mean of a channel's map, a neuron at `position` (y, x), or a class logit, times `weight`."""

    kind: Literal["channel", "neuron", "class"]
    index: int
    weight: float
    layer: str | None = None
    position: tuple[int, int] | None = None


@dataclass(frozen=True)
class Objective:
    """What ascent raises, one scalar for each of N images: the mean over the map of a channel, one neuron, the mean of
    squares of all channels, a class logit, how near all activations come to `features`, or the sum of `terms`. `margin` leaves out a
    border of the map (dlwp2: 2). With `diversity`, a weight, images are not independent: each loses by how alike it is to the
    others, and all of them, of one channel, are one batch."""

    kind: Literal["channel", "neuron", "layer", "class", "l2", "dot_cosine", "sum"]
    layer: str | None = None
    indices: tuple[int, ...] = ()  # channels or classes, one an image; the neuron's k
    position: tuple[int, int] | None = None  # the neuron's (y, x)
    margin: int = 0
    probability: bool = False
    features: Float32 | None = None  # l2, dot_cosine: the layer's activations to reach, without the batch axis
    terms: tuple[Term, ...] = ()
    diversity: float = 0.0


@dataclass(frozen=True)
class Start:
    """Where ascent starts: uniform in [low, high) or normal with σ = `sigma`, in the parametrisation's own units
    (pixel: see `AscentSpec`; fourier: spectrum coefficients; phase: radians)."""

    kind: Literal["uniform", "normal"]
    low: float = 0.0
    high: float = 1.0
    sigma: float = 0.01


@dataclass(frozen=True)
class AscentSpec:
    """Everything a synthesis needs. Every image of the batch is independent: n images give what n single runs give.

    `scale` and `offset` (one number, or one a channel) are the pixel parametrisation's units: the model sees
    scale · pixel + offset, and `start`, `learning_rate` and gradients are in units of the pixel. With `redirect`, a
    channel or neuron after a ReLU follows the gradient of what the ReLU was given while that is closed, and past a ReLU6's end.
    After each step in `show`, however soon, the state is yielded.
    """

    objective: Objective
    parametrisation: ParametrisationName
    size: tuple[int, int]
    steps: int
    learning_rate: float
    optimizer: Literal["adam", "ascent"]  # ascent: x += learning_rate * g
    gradient_norm: Literal["none", "rms", "l2"]  # rms: g / (sqrt(mean g²) + 1e-5); l2: g / sqrt(max(sum g², 1e-12)); an image at a time
    start: Start
    transforms: Transforms
    regularisers: Regularisers
    seed: int
    precision: Literal["float32", "bfloat16"] = "float32"
    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)
    redirect: bool = False
    show: tuple[int, ...] = ()

    @property
    def view(self) -> tuple[int, int]:
        """Height and width of what the model sees of an image."""
        side = self.transforms.view
        return self.size if side is None else (side, side)


@dataclass(frozen=True)
class DreamSpec:
    """DeepDream: gradient ascent from `image` (H, W, C) float32, at each of `shapes` in turn, smallest first, the last its own.

    What is raised: Σ weight · mean of squares over the layers, a border of 2 of each map left out. A step moves pixels by
    `step_size` on average. The image is in units of its own: the model sees scale · pixel + offset. An octave ends after `steps`,
    or when its loss is above `max_loss`.
    """

    image: Float32
    layers: tuple[tuple[str, float], ...]
    shapes: tuple[tuple[int, int], ...]
    steps: int
    step_size: float
    max_loss: float | None = None
    jitter: int = 0
    seed: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)


@dataclass(frozen=True)
class DreamState:
    """Where a dream is after `step` of at most `total` steps. `image` (h, w, C) float32, of the octave it is in. `losses`: of
    every octave begun, the loss at each of its steps. `gradient_seen`: whether any non-zero gradient came."""

    step: int
    total: int
    image: Float32
    losses: tuple[tuple[float, ...], ...]
    gradient_seen: bool


@dataclass(frozen=True)
class AscentState:
    """Where ascent is after `step` steps. `images` (n, H, W, C) float32: pixel the model's input units, else 0-1 RGB.
    `values` (n, step): the objective at every step so far. `gradient_seen` (n,): whether any non-zero gradient came."""

    step: int
    total: int
    images: Float32
    values: Float32
    gradient_seen: NDArray[np.bool_]
