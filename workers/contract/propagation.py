"""The questions to a model in which something else than a gradient goes back through its layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from workers.contract.arrays import Float32
from workers.contract.attention import AttentionGradients, Attentions
from workers.contract.contributions import Contributions
from workers.contract.full_gradients import FullGradients
from workers.contract.relevance import InputRange, RelevanceRules, Relevances


@runtime_checkable  # beartype checks annotations in the tests
class PropagationProbe(Protocol):
    """A loaded model through which relevance and differences go back. Arguments and errors are those of `Probe`, and those below."""

    def relevances(
        self, tensor: Float32, class_indices: NDArray[np.int32], rules: RelevanceRules, values: InputRange, *, output: str | None = None
    ) -> Relevances:
        """Return the relevance of the input, whose range is `values`, for each example's class score, by these rules and in float32.

        Raises:
            UnsuitableLayer: a layer on the way has no rule, which the error names, or the model has no logits.
        """
        ...

    def contributions(
        self, tensor: Float32, baselines: Float32, class_indices: NDArray[np.int32], *, output: str | None = None
    ) -> Contributions:
        """Return the contributions of each input to its class's logit minus that of its baseline, by DeepLIFT and in float32.

        `baselines` has the shape of `tensor`.

        Raises:
            UnsuitableLayer: a layer on the way has no rule, which the error names, or the model has no logits.
        """
        ...

    def full_gradients(self, tensor: Float32, class_indices: NDArray[np.int32], *, output: str | None = None) -> FullGradients:
        """Return the parts of each example's class score: input gradient and biases times their gradients, in float32.

        Raises:
            UnsuitableLayer: the bias of a layer is not known.
        """
        ...

    def attentions(self, tensor: Float32, layers: Sequence[str], *, scores: bool = False, output: str | None = None) -> Attentions:
        """Return the attention probabilities of every call of `layers`, in float32, and with `scores` also logits and probabilities.

        Raises:
            UnsuitableLayer: the attention of a layer cannot be seen, or does not go over all positions.
        """
        ...

    def attention_gradients(
        self, tensor: Float32, layers: Sequence[str], class_indices: NDArray[np.int32], *, output: str | None = None
    ) -> AttentionGradients:
        """Return the attention probabilities of `layers`, and the gradient of each example's logit by them, in float32.

        Raises:
            UnsuitableLayer: the attention of a layer cannot be seen, or does not go over all positions.
        """
        ...
