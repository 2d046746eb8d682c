"""The questions that a method may ask of a loaded model, and the arrays that it gets back."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from schemas.models import ModelDescription, Preprocessing, PublishedModel
from workers.contract.arrays import Float32
from workers.contract.map_place import MapPlace
from workers.contract.propagation import PropagationProbe
from workers.contract.scores import GradientScore, Readout
from workers.contract.synthesis import AscentSpec, AscentState, DreamSpec, DreamState


@dataclass(frozen=True)
class Forward:
    """The results of a forward pass.

    Attributes:
        activations: for each layer asked for, by its path, float32 (N, ...).
        logits: float32 (N, classes), or None if they were not asked for or the model has no class output.
        probabilities: the same for the probabilities.
    """

    activations: dict[str, Float32]
    logits: Float32 | None
    probabilities: Float32 | None


@dataclass(frozen=True)
class LayerGradients:
    """The gradient of a class score at one layer.

    Attributes:
        activations: the layer's output, float32 (N, h, w, K).
        gradients: ∂score/∂activations, float32 (N, h, w, K).
        logits, probabilities: the class scores of the same pass, float32 (N, classes).
        class_indices: the class that each example explains, int32 (N,). `TOP_CLASS` has been replaced by the example's top class.
        products: H·A, the Hessian of the score times the activations, float32 (N, h, w, K). It is None if it was not asked for.
    """

    activations: Float32
    gradients: Float32
    logits: Float32
    probabilities: Float32
    class_indices: NDArray[np.int32]
    products: Float32 | None = None


ReluRule = Literal["gradient", "guided", "deconv"]
"""The part of the gradient g that a ReLU passes back.

`gradient`: its own gradient, which is g where the ReLU was open. `guided`: the positive part of that (Springenberg et al.,
arXiv:1412.6806). `deconv`: the positive part of g, no matter where the ReLU was open (Zeiler and Fergus, arXiv:1311.2901).
"""


@dataclass(frozen=True)
class InputGradients:
    """The gradient of a class score at the model's input.

    Attributes:
        gradients: ∂score/∂input, float32 (N, H, W, C).
        logits, probabilities: the class scores of the same pass, float32 (N, classes).
        class_indices: the class that each example explains, int32 (N,). `TOP_CLASS` has been replaced by the example's top class.
        relus: number of layers on the way whose ReLU followed the rule `guided` or `deconv`.
    """

    gradients: Float32
    logits: Float32
    probabilities: Float32
    class_indices: NDArray[np.int32]
    relus: int = 0


@runtime_checkable  # beartype checks annotations in the tests
class Probe(PropagationProbe, Protocol):
    """A loaded model that can be examined. It is thread-safe.

    Every call is one compiled TensorFlow function with a free batch axis. There is one for each target and kind of call, and other classes,
    channels or batch sizes do not compile it again.

    `tensor` is always the batch of inputs, float32 (N, H, W, C). `output` names the output whose class scores are meant; None means the
    first. The model's other inputs are zeros, unless `with_inputs` gave them values.

    Raises:
        UnknownLayer: The model has no such layer.
        NoGradient: No gradient reaches the target.
        NonFinite: A result is infinite or not a number.
        OutOfMemory: The device's memory does not suffice.
    """

    @property
    def published(self) -> PublishedModel:
        """The description with the labels and the digest, as it is published."""
        ...

    @property
    def description(self) -> ModelDescription:
        """The description of the model: its layers, shapes and classes."""
        ...

    def inputs_per_pass(self, size: tuple[int, int], *, gradient: bool = False) -> int:
        """Return how many inputs of `size` (height, width) one pass should take so that it holds the device for about 0.1 s.

        With `gradient`, this is about a pass that also computes gradients. It is 1 where a single input takes longer.
        """
        ...

    def map_place(self, layer: str, size: tuple[int, int]) -> MapPlace:
        """Return where the map of `layer`, or the map that its tokens form, lies over an input of `size` (height, width).

        A layer without a map lies over the whole input.
        """
        ...

    def forward(
        self,
        tensor: Float32,
        layers: Sequence[str] = (),
        *,
        scores: bool = False,
        output: str | None = None,
        precision: str = "float32",
    ) -> Forward:
        """Return the activations of `layers`, and with `scores` also logits and probabilities.

        Layers behind the last one that is needed are not computed.
        """
        ...

    def gradients(
        self,
        tensor: Float32,
        layer: str,
        class_indices: NDArray[np.int32],
        *,
        score: GradientScore = "logit",
        products: bool = False,
        output: str | None = None,
        precision: str = "float32",
    ) -> LayerGradients:
        """Return the gradient of each example's class score at `layer`, and with `products` also the Hessian times the activations.

        `class_indices` is int32 (N,), and `TOP_CLASS` means the example's top class.

        Raises:
            NoGradient: with `products`, an operation between the layer and the score has no second gradient.
        """
        ...

    def input_gradients(
        self,
        tensor: Float32,
        class_indices: NDArray[np.int32],
        *,
        score: Literal["logit", "probability"] = "logit",
        relu_rule: ReluRule = "gradient",
        output: str | None = None,
        precision: str = "float32",
    ) -> InputGradients:
        """Return the gradient of each example's class score at the model's input. Every ReLU on the way follows `relu_rule`."""
        ...

    def backproject(self, tensor: Float32, layer: str, seed: Float32, *, relu_rule: ReluRule = "gradient") -> Float32:
        """Return the gradient of Σ seed · activation with respect to the input, float32 (N, H, W, C).

        `seed` has the shape of the layer's activations, (N, ...). For the method of Zeiler and Fergus (arXiv:1311.2901), it holds the
        activations to keep, and 0 elsewhere. With ones in those places, the result is the gradient itself. A ReLU at the end of the layer
        follows `relu_rule` too.
        """
        ...

    def scores_from(
        self,
        tensor: Float32,
        layer: str,
        activations: Float32,
        *,
        layers: Sequence[str] = (),
        output: str | None = None,
        precision: str = "float32",
    ) -> Forward:
        """Return logits and probabilities with the layer's output replaced by `activations`, float32 (N, ...).

        The activations of `layers` are returned as they then are.
        Everything that does not depend on the layer is computed from `tensor`. If the model calls the layer several times, the output of
        the first call is replaced.
        """
        ...

    def values(self, tensor: Float32, readout: Readout, *, precision: str = "float32") -> Float32:
        """Return the values of `readout`, float32 (N, …), before they are normalised."""
        ...

    def explaining(self, readout: Readout, weights: Float32, names: Sequence[str]) -> Probe:
        """Return a probe of the same model in which each of T targets takes the place of a class of the first output.

        The score of target t is Σ weights[t]·values, where the values are those of `readout` and `weights` is float32 (T, …). Logits and
        probabilities are both these scores, and the targets' `names` are the labels.
        """
        ...

    def with_inputs(self, name: str, values: Mapping[str, NDArray[np.generic]], preprocessing: Preprocessing) -> Probe:
        """Return a probe of the same model whose batch goes to the input `name` and whose other inputs take `values`.

        The new probe describes that input in place of the photo's own. A layer that the model calls several times stands for its first
        call that is computed from that input.

        Args:
            values: the values (1, …) of other inputs by name, which every example of a batch gets. An input without values gets zeros.
            preprocessing: how the batch was made from images.
        """
        ...

    def randomised(self, layers: Sequence[str], seed: int) -> Probe:
        """Return the same model with random weights in `layers`. The weights of this one do not change.

        The layers' own initialisers draw the weights. If a layer is a nested model, this applies to all layers in it.
        """
        ...

    def ascend(self, spec: AscentSpec) -> Generator[AscentState, None, AscentState]:
        """Run gradient ascent in slices of at most about 100 ms. Yield the state after each slice, and return the last one."""
        ...

    def dream(self, spec: DreamSpec) -> Generator[DreamState, None, DreamState]:
        """Run DeepDream in slices of at most about 100 ms. Yield the state after each slice, and return the last one."""
        ...

    def weights(self, layer: str) -> dict[str, Float32]:
        """Return copies of the layer's weights, if any, by name, such as `kernel`, `bias`, `gamma` or `query/kernel`."""
        ...
