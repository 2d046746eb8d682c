"""What methods and the engine say to each other: arrays and plain records, no TensorFlow, no Redis, no HTTP.

A method is a module in `workers/methods/` named as its parameter model's `card.name`, with

    run(probe, inputs, params)   on a device thread; fast lane: returns one result for each job of the batch;
                                 slow lane: a generator that yields a `Slice` between slices and returns its one result
    draw(result, photo, params)  off the device: pictures, arrays, facts and warnings
    batch_key(params)            optional, fast lane: jobs of one model and method with equal keys run as one batch;
                                 without it each distinct `params` is a batch of its own
    reusable(params)             optional, slow lane: what of the job is kept for others (`Reusable`), or None

where `result` is whatever the module's own `run` and `draw` agree on. That of an attribution, a method with the artifacts
`overlay` and `map`, has `maps` (n, h, w), one a class: `faithfulness` puts them to the test. A method that needs no model has no
`run`, and `result` is None.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from schemas.methods.base import DocumentType, Facts
from schemas.methods.parts.filter_presets import Parametrised, Regularisers, Transforms
from schemas.models import ModelDescription, PublishedModel

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]


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


Arrays = Mapping[str, NDArray[np.generic]]
Pieces = Mapping[str, Arrays]
"""Parts of a result, by name, that other jobs, or the same one taken up again, need not make anew: each some arrays."""


@dataclass(frozen=True)
class Reusable:
    """What a job can take over and leaves to others: pieces of the work that `work` describes, those of `names` or all there are.
    Equal works of one model have equal pieces."""

    work: str
    names: tuple[str, ...] | None = None


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


@dataclass(frozen=True)
class Forward:
    """Activations by layer path, each (N, ...) float32; logits and probabilities (N, classes) float32, None without a class output."""

    activations: dict[str, Float32]
    logits: Float32 | None
    probabilities: Float32 | None


@dataclass(frozen=True)
class LayerGradients:
    """At one layer: activations and ∂score/∂activations, both (N, h, w, K) float32; the class scores of the same pass."""

    activations: Float32
    gradients: Float32
    logits: Float32
    probabilities: Float32
    class_indices: NDArray[np.int32]  # (N,): the class explained, the top class where -1 was asked for


ReluRule = Literal["gradient", "guided", "deconv"]
"""What a ReLU hands back of the gradient g that comes to it: its own gradient; of that what is positive (Springenberg et al.,
arXiv:1412.6806); what is positive of g wherever the ReLU was open or closed (Zeiler and Fergus, arXiv:1311.2901)."""


@dataclass(frozen=True)
class InputGradients:
    """∂score/∂input (N, H, W, C) float32, and the class scores of the same pass."""

    gradients: Float32
    logits: Float32
    probabilities: Float32
    class_indices: NDArray[np.int32]  # (N,): the class explained, the top class where -1 was asked for
    relus: int = 0  # layers on the way whose ReLU followed `guided` or `deconv`


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
    parametrisation: Parametrised
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
class Slice:
    """Between two slices of a slow method: how far it is, and a small picture of it, if any (float (n, H, W, C) in 0-1 or uint8)."""

    step: int
    total: int
    value: float | None = None
    preview: UInt8 | None = None  # (H, W, 3)
    pieces: Pieces = field(default_factory=dict[str, Arrays])  # to be kept, finished since the last slice


@dataclass(frozen=True)
class AscentState:
    """Where ascent is after `step` steps. `images` (n, H, W, C) float32: pixel the model's input units, else 0-1 RGB.
    `values` (n, step): the objective at every step so far. `gradient_seen` (n,): whether any non-zero gradient came."""

    step: int
    total: int
    images: Float32
    values: Float32
    gradient_seen: NDArray[np.bool_]


@runtime_checkable  # beartype checks signatures in the tests
class Probe(Protocol):
    """A loaded model, ready to be looked into. Thread-safe. Every call is one compiled TensorFlow function with a free batch
    axis, kept per (target, kind of call), never retraced for other classes, channels or batch sizes.

    `output` names the output whose class scores are meant; None: the first. Inputs that are not the photo's are zeros.

    Raises `NoGradient`, `NonFinite`, `OutOfMemory`, `UnknownLayer` (schemas.errors).
    """

    @property
    def published(self) -> PublishedModel: ...

    @property
    def description(self) -> ModelDescription: ...

    def forward(
        self,
        tensor: Float32,
        layers: Sequence[str] = (),
        *,
        scores: bool = False,
        output: str | None = None,
        precision: str = "float32",
    ) -> Forward:
        """Activations of `layers`; with `scores` logits and probabilities too. The graph is cut where nothing more is asked for."""
        ...

    def gradients(
        self,
        tensor: Float32,
        layer: str,
        class_indices: NDArray[np.int32],
        *,
        score: Literal["logit", "probability"] = "logit",
        sign: int = 1,
        output: str | None = None,
        precision: str = "float32",
    ) -> LayerGradients:
        """For each example, the gradient of its class's score at `layer`; class -1 is the example's top class."""
        ...

    def input_gradients(
        self,
        tensor: Float32,
        class_indices: NDArray[np.int32],
        *,
        score: Literal["logit", "probability"] = "logit",
        sign: int = 1,
        relu_rule: ReluRule = "gradient",
        output: str | None = None,
        precision: str = "float32",
    ) -> InputGradients:
        """The same at the model's input, every ReLU on the way following `relu_rule`."""
        ...

    def backproject(self, tensor: Float32, layer: str, seed: Float32, *, relu_rule: ReluRule = "gradient") -> Float32:
        """Σ seed·activation differentiated with respect to the input: (N, H, W, C).

        `seed` (N, …) has the shape of the layer's activations. Zeiler and Fergus give the activations kept, all others 0; ones
        at those places give the gradient itself. A ReLU at the end of the layer follows `relu_rule` too.
        """
        ...

    def scores_from(
        self, tensor: Float32, layer: str, activations: Float32, *, output: str | None = None, precision: str = "float32"
    ) -> Forward:
        """Logits and probabilities with the layer's output replaced by `activations` (N, …); what does not come from the layer is
        computed from `tensor` (N, H, W, C). Of a shared layer the first call is replaced."""
        ...

    def randomised(self, layers: Sequence[str], seed: int) -> Probe:
        """The same model with the weights of `layers` (of a nested model: all inside it) drawn anew by their own initialisers;
        this one stays as it is."""
        ...

    def ascend(self, spec: AscentSpec) -> Generator[AscentState, None, AscentState]:
        """Gradient ascent in slices of at most about 250 ms; yields after each, returns the last state."""
        ...

    def dream(self, spec: DreamSpec) -> Generator[DreamState, None, DreamState]:
        """DeepDream, in slices likewise."""
        ...

    def weights(self, layer: str) -> dict[str, Float32]:
        """The layer's weights by name (`kernel`, `bias`, `gamma`, `query/kernel`), copied; empty where it has none."""
        ...


@dataclass(frozen=True)
class Picture:
    """An image artifact: uint8 RGB (H, W, 3)."""

    name: str
    image: UInt8
    primary: bool = False


@dataclass(frozen=True)
class Animation:
    """An animation artifact: uint8 RGB frames (n, H, W, 3), each shown for `milliseconds`, the last for `hold`, over and over."""

    name: str
    frames: UInt8
    milliseconds: int = 100
    hold: int = 1500


@dataclass(frozen=True)
class Array:
    """An array artifact."""

    name: str
    array: NDArray[np.generic]


@dataclass(frozen=True)
class Document:
    """A document artifact: text of a media type."""

    name: str
    media_type: DocumentType
    text: str


@dataclass(frozen=True)
class Output:
    """What `draw` returns: all of a job's results."""

    artifacts: tuple[Picture | Animation | Array | Document, ...]
    facts: Facts
    warnings: tuple[str, ...] = ()
