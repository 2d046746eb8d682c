"""The specifications of gradient ascent and DeepDream, and the states that they report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas.methods.synthesis.parametrisations import ParametrisationName
from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.synthesis_size import sides_of
from schemas.methods.synthesis.transforms import Transforms
from workers.contract.arrays import Float32


@dataclass(frozen=True)
class Term:
    """One term of a sum: a value times `weight`.

    The value is the mean of channel `index` over its map, channel `index` at one position, or the logit of class `index`.

    Attributes:
        kind: which of the three values it is.
        index: index of the channel or the class.
        weight: factor of the value.
        layer: path of the layer, for a channel or a neuron.
        position: (y, x) of a neuron in the layer's map.
    """

    kind: Literal["channel", "neuron", "class"]
    index: int
    weight: float
    layer: str | None = None
    position: tuple[int, int] | None = None


@dataclass(frozen=True)
class Objective:
    """The quantity that gradient ascent raises: one scalar for each of the N images.

    Attributes:
        kind: `channel`: the mean of a channel over its map. `neuron`: a channel at one position. `layer`: the mean of the squares of all
            channels. `class`: the logit of a class. `l2` and `dot_cosine`: how near the activations are to `features`. `direction`: how far
            the activations at the middle of the map go along a direction. `sum`: the sum of `terms`.
        layer: path of the layer, for every kind that has one.
        indices: the channel or class of each image; for `neuron`, its channel; for `direction`, the number of its direction.
        position: (y, x) of the neuron in the layer's map.
        margin: width of the border of the map that is left out, in positions.
        probability: if it is true, `class` is the probability instead of the logit.
        features: for `l2` and `dot_cosine`, the layer's activations to reach, without the batch axis.
        directions: for `direction`, directions in the layer's channels (d, K), of length 1.
        power: for `direction`, the exponent of the cosine.
        terms: the terms of `sum`.
        diversity: weight of the diversity term. If it is not 0, all images show one channel in one batch, and each image loses by its
            likeness to the others.
    """

    kind: Literal["channel", "neuron", "layer", "class", "l2", "dot_cosine", "direction", "sum"]
    layer: str | None = None
    indices: tuple[int, ...] = ()
    position: tuple[int, int] | None = None
    margin: int = 0
    probability: bool = False
    features: Float32 | None = None
    directions: Float32 | None = None
    power: float = 1.0
    terms: tuple[Term, ...] = ()
    diversity: float = 0.0


@dataclass(frozen=True)
class Start:
    """The random values with which ascent starts: uniform in [low, high), or normal with the standard deviation `sigma`.

    They are in the units of the parametrisation: for `pixel` those of the pixel (see `AscentSpec`), for `fourier` coefficients of the
    spectrum, for `phase` radians.
    """

    kind: Literal["uniform", "normal"]
    low: float = 0.0
    high: float = 1.0
    sigma: float = 0.01


@dataclass(frozen=True)
class AscentSpec:
    """Everything that a synthesis needs. The images of the batch are independent: n images give the same as n single runs.

    Attributes:
        objective: what is raised.
        parametrisation: how an image is made of the values that ascent changes.
        size: height and width of an image, in pixels.
        steps: number of steps.
        learning_rate: the optimizer's step size, in units of the parametrisation.
        optimizer: `adam`; `ascent`, which is x += learning_rate · g; or `lbfgs`, whose first step has the root mean square
            `learning_rate`. `lbfgs` needs an objective that is the same at every step, so it goes without random transforms.
        gradient_norm: how the gradient g of each image is divided: `rms` by sqrt(mean g²) + 1e-5, `l2` by sqrt(max(sum g², 1e-12)).
        start: the values with which ascent starts.
        transforms: random transforms of the image before the model sees it.
        regularisers: penalties that keep the image smooth or small.
        seed: seed of all random numbers.
        precision: arithmetic of the model's forward and backward pass.
        scale, offset: units of the `pixel` parametrisation: the model sees scale · pixel + offset. Each has one number, or one for each
            channel. `start`, `learning_rate` and the gradients are in units of the pixel.
        redirect: if it is true, a channel or neuron behind a ReLU follows the gradient of the ReLU's input while the ReLU is closed, and
            beyond the upper end of a ReLU6.
        show: steps after which the state is yielded in any case.
    """

    objective: Objective
    parametrisation: ParametrisationName
    size: tuple[int, int]
    steps: int
    learning_rate: float
    optimizer: Literal["adam", "ascent", "lbfgs"]
    gradient_norm: Literal["none", "rms", "l2"]
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
        """Height and width, in pixels, of the part of an image that the model sees in one step."""
        view = self.transforms.view
        return self.size if view is None else sides_of(view)


@dataclass(frozen=True)
class DreamSpec:
    """Everything that DeepDream needs: gradient ascent from an image, in octaves of growing size.

    It raises Σ weight · mean of squares over the layers, with a border of 2 positions of each map left out.

    Attributes:
        image: the image to start from, float32 (H, W, C), in units of its own: the model sees scale · pixel + offset.
        layers: path and weight of each layer.
        shapes: height and width of each octave, smallest first. The last is the image's own size.
        steps: number of steps in an octave.
        step_size: mean change of a pixel in one step, in units of the image.
        max_loss: an octave ends early when its loss is above this. None means never.
        jitter: largest random shift of the image in a step, in pixels.
        seed: seed of the shifts.
        tile: an octave with a longer side is differentiated in tiles of at most so many pixels a side. None means never.
        precision: arithmetic of the model's forward and backward pass.
        scale, offset: the units of the image, with one number each, or one for each channel.
    """

    image: Float32
    layers: tuple[tuple[str, float], ...]
    shapes: tuple[tuple[int, int], ...]
    steps: int
    step_size: float
    max_loss: float | None = None
    jitter: int = 0
    seed: int = 0
    tile: int | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)


@dataclass(frozen=True)
class DreamState:
    """The state of a dream after a step.

    Attributes:
        step: number of steps done.
        total: largest possible number of steps, for all octaves.
        image: the image in the size of its octave, float32 (h, w, C), in the units of `DreamSpec.image`.
        losses: for every octave that has begun, the loss at each of its steps.
        gradient_seen: true if any gradient so far was not zero.
    """

    step: int
    total: int
    image: Float32
    losses: tuple[tuple[float, ...], ...]
    gradient_seen: bool


@dataclass(frozen=True)
class AscentState:
    """The state of gradient ascent after a step.

    Attributes:
        step: number of steps done.
        total: number of all steps.
        chunks: the images as the engine holds them, some in each array, whose first axes have the length n together.
        values: the objective of each image at every step so far, float32 (n, step).
        gradient_seen: bool (n,): true if any gradient of the image so far was not zero.
    """

    step: int
    total: int
    chunks: tuple[Float32, ...]
    values: Float32
    gradient_seen: NDArray[np.bool_]

    @cached_property
    def images(self) -> Float32:
        """The images, float32 (n, H, W, C): the model's input units for the `pixel` parametrisation, RGB in 0–1 for the others.

        They are put together when they are asked for, because most states are shown to nobody.
        """
        return np.concatenate(self.chunks)
