"""The rules by which relevance goes back through a model, and the relevance that arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas.methods.relevance.rules import FirstRule, LayerRule
from workers.contract.arrays import Float32

ExcitationRule = Literal["excitation", "contrast"]
"""Excitation backpropagation (Zhang et al., arXiv:1608.00507): a value gets the share of what it excites, by weights above 0 alone.

`contrast` subtracts the same for the negated weights.
"""
MapRule = LayerRule | ExcitationRule
"""A rule of a linear map."""


@dataclass(frozen=True)
class RelevanceRules:
    """The rules of one pass of relevance back through a model.

    Attributes:
        convolution: the rule of every convolution after the first layer.
        dense: the rule of every dense layer after the first layer.
        first: the rule of the layers with weights that the input reaches first. None means the rule of their kind.
        epsilon: the ε of the ε rule, above 0.
        gamma: the γ of the γ rule, 0 or more.
        alpha: the α of the αβ rule, 1 or more; β is α − 1.
        last: the rule of the layers with weights that come last before the score. None means the rule of their kind.
        until: the path of the layer at which relevance is returned. None means the model's input.
        starts_with_one: relevance starts with 1, and not with the score.
    """

    convolution: MapRule
    dense: MapRule
    first: FirstRule | None = None
    epsilon: float = 1e-6
    gamma: float = 0.25
    alpha: float = 2.0
    last: MapRule | None = None
    until: str | None = None
    starts_with_one: bool = False

    @property
    def sums_excite(self) -> bool:
        """True if sums share relevance by their parts above 0 alone."""
        return self.convolution == "excitation"


@dataclass(frozen=True)
class InputRange:
    """The lowest and the highest value that the model's input can have at each place, float32 (N, H, W, C)."""

    low: Float32
    high: Float32


@dataclass(frozen=True)
class Relevances:
    """The relevance of the model's input, or of a layer, for a class score.

    Attributes:
        relevances: one value for each value of the input (N, H, W, C) or of the layer (N, …), float32.
        logits, probabilities: the class scores of the same pass, float32 (N, classes).
        class_indices: the class that each example explains, int32 (N,). `TOP_CLASS` has been replaced by the example's top class.
        rules: the number of layers with weights that followed each rule, by the rule's name.
        batch_norms_merged: the number of batch norms that were merged into the layer before them.
        batch_norms_passed: the number of batch norms that could not be merged. Relevance passes through them unchanged.
    """

    relevances: Float32
    logits: Float32
    probabilities: Float32
    class_indices: NDArray[np.int32]
    rules: Mapping[str, int]
    batch_norms_merged: int = 0
    batch_norms_passed: int = 0
