"""What a method may ask of a loaded model."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from schemas.models import ModelDescription, PublishedModel
from workers.contract.arrays import Float32
from workers.contract.synthesis import AscentSpec, AscentState, DreamSpec, DreamState


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
    class_indices: NDArray[np.int32]  # (N,): the class explained, the top class where `TOP_CLASS` was asked for


ReluRule = Literal["gradient", "guided", "deconv"]
"""What a ReLU hands back of the gradient g that comes to it: its own gradient; of that what is positive (Springenberg et al.,
arXiv:1412.6806); what is positive of g wherever the ReLU was open or closed (Zeiler and Fergus, arXiv:1311.2901)."""


@dataclass(frozen=True)
class InputGradients:
    """∂score/∂input (N, H, W, C) float32, and the class scores of the same pass."""

    gradients: Float32
    logits: Float32
    probabilities: Float32
    class_indices: NDArray[np.int32]  # (N,): the class explained, the top class where `TOP_CLASS` was asked for
    relus: int = 0  # layers on the way whose ReLU followed `guided` or `deconv`


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
        """For each example, the gradient of its class's score at `layer`; `TOP_CLASS` stands for the example's top class."""
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
