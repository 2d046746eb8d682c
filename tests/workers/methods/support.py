"""A probe whose model is a formula, so that the results of methods can be worked by hand."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rendering.photo import Photo, Placement
from schemas.methods.target_class import TOP_CLASS
from schemas.models import InputSpec, ModelDescription, Preprocessing, PublishedModel
from workers.contract.arrays import Float32
from workers.contract.map_place import MapPlace
from workers.contract.probe import Forward, InputGradients, LayerGradients, Probe, ReluRule
from workers.contract.scores import GradientScore
from workers.contract.synthesis import AscentSpec, AscentState, DreamSpec, DreamState

LABELS = ("tench", "goldfish", "great white shark")


def published(labels: tuple[str, ...] = LABELS) -> PublishedModel:
    description = ModelDescription(
        name="formula",
        source="file",
        input=InputSpec(name="photo", height=4, width=6, channels=3),
        preprocessing=Preprocessing(),
        classes=3,
        head="softmax",
        outputs=("predictions",),
        fingerprint="0" * 64,
        parameters=0,
        default_layer="conv",
        layers=(),
    )
    return PublishedModel(description=description, labels=labels, digest="0")


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)


class FormulaProbe(Probe):
    """The layer `conv` is the input itself, (N, h, w, K). The layer `pool` is the mean over the positions, (N, K).

    The logit of class c is the sum of WEIGHTS[c]·A² over positions and channels. So its gradient 2·WEIGHTS[c]·A differs at each
    position. `calls` keeps the number of rows of each call. A pass takes `per_pass` inputs.
    """

    per_pass = 64

    WEIGHTS = np.array([[1, 0, -1], [0, 2, 0], [-1, 1, 0.5]], np.float32)

    def __init__(self, model: PublishedModel | None = None) -> None:
        self._published = model or published()
        self.calls: list[int] = []

    @property
    def published(self) -> PublishedModel:
        return self._published

    @property
    def description(self) -> ModelDescription:
        return self._published.description

    def inputs_per_pass(self, size: tuple[int, int], *, gradient: bool = False) -> int:
        return max(1, self.per_pass // 3) if gradient else self.per_pass

    def map_place(self, layer: str, size: tuple[int, int]) -> MapPlace:
        return MapPlace.whole(size)

    def forward(
        self,
        tensor: Float32,
        layers: Sequence[str] = (),
        *,
        scores: bool = False,
        output: str | None = None,
        precision: str = "float32",
    ) -> Forward:
        self.calls.append(len(tensor))
        answers = {
            "conv": tensor,
            "pool": tensor.mean(axis=(1, 2)),
            "base/conv": tensor * 2,
            "gap": tensor.mean(axis=(1, 2), keepdims=True),
        }
        logits = self._logits(tensor) if scores else None
        return Forward({path: answers[path] for path in layers}, logits, None if logits is None else softmax(logits))

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
        self.calls.append(len(tensor))
        logits = self._logits(tensor)
        probabilities = softmax(logits)
        chosen = np.where(class_indices == TOP_CLASS, logits.argmax(axis=1), class_indices).astype(np.int32)
        weights = self.WEIGHTS[chosen]
        if score == "probability":
            p = np.take_along_axis(probabilities, chosen[:, None], axis=1)
            weights = p * (weights - probabilities @ self.WEIGHTS)
        elif score == "rest":
            weights = 2 * weights - probabilities @ self.WEIGHTS
        gradients = (2 * weights[:, None, None, :] * tensor).astype(np.float32)
        found = self._products(tensor, gradients, logits, score) if products else None
        return LayerGradients(tensor, gradients, logits, probabilities, chosen, found)

    def _products(self, tensor: Float32, gradients: Float32, logits: Float32, score: str) -> Float32:
        """Return H·A. The Hessian of Σ W·A² is the diagonal of 2·W, and that of log Σ exp has the covariance of the gradients, too."""
        if score == "logit":
            return gradients
        assert score == "rest", "the Hessian of a probability is not worked out here"
        p = softmax(logits)
        covariance = (p * logits) @ self.WEIGHTS - (p * logits).sum(axis=1, keepdims=True) * (p @ self.WEIGHTS)
        return (gradients - 4 * covariance[:, None, None, :] * tensor).astype(np.float32)

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
        found = self.gradients(tensor, "conv", class_indices, score=score)
        return InputGradients(found.gradients, found.logits, found.probabilities, found.class_indices)

    def backproject(self, tensor: Float32, layer: str, seed: Float32, *, relu_rule: ReluRule = "gradient") -> Float32:
        raise NotImplementedError

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
        """Return the scores with these activations in place of the layer `conv`."""
        self.calls.append(len(tensor))
        logits = self._logits(activations)
        return Forward(self.forward(activations, layers).activations if layers else {}, logits, softmax(logits))

    def with_inputs(self, name: str, values: Mapping[str, NDArray[np.generic]], preprocessing: Preprocessing) -> Probe:
        raise NotImplementedError

    def randomised(self, layers: Sequence[str], seed: int) -> Probe:
        raise NotImplementedError

    def ascend(self, spec: AscentSpec) -> Generator[AscentState, None, AscentState]:
        raise NotImplementedError

    def dream(self, spec: DreamSpec) -> Generator[DreamState, None, DreamState]:
        raise NotImplementedError

    def weights(self, layer: str) -> dict[str, Float32]:
        raise NotImplementedError

    def _logits(self, tensor: Float32) -> Float32:
        return ((tensor**2).sum(axis=(1, 2))[:, None, :] * self.WEIGHTS).sum(axis=2)  # this order of sums gives the same bits in any batch


def photo_of(height: int = 8, width: int = 12, seed: int = 0) -> Photo:
    """Return a photo that fills the input of 4 × 6."""
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Photo(image, Placement((4, 6), (0, 0, 4, 6), (0, 0, height, width)))


def batch(n: int = 3, seed: int = 1) -> Float32:
    """Return inputs (n, 4, 6, 3) with values below and above 0."""
    return np.random.default_rng(seed).normal(0.3, 1, (n, 4, 6, 3)).astype(np.float32)
