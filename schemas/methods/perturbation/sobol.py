"""The parameters of `sobol`: the share of each cell of the image in the variance of a class's score."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.perturbation.agreement import AgreementFacts
from schemas.methods.perturbation.base import check_masks
from schemas.methods.perturbation.grid_masks import GRID_ARTIFACTS, GridMaskParams
from schemas.models import ModelDescription, PublishedModel


class SobolFacts(AgreementFacts):
    """The variance that was shared out, beside the classes that are explained. The lists are in the order of `classes`."""

    variance: tuple[float, ...] = Field(description="This is the variance of the watched score over the masks.")
    index_sum: tuple[float, ...] = Field(
        description=(
            "This is the sum of all indices. It is about 1 if each cell acts on its own, and above 1 if cells act together, because what "
            "they do together counts for each of them."
        )
    )


class Sobol(GridMaskParams):
    """The total Sobol index of each cell: its share in the variance of a class's score, alone and together with other cells."""

    card: ClassVar[MethodCard] = MethodCard(
        name="sobol",
        title="Sobol indices",
        summary=(
            "The cells of a grid are covered more or less by many masks. Each cell gets its share in the variance of the class's score, "
            "alone and together with other cells. The method needs no gradients."
        ),
        reference=(
            "Fel et al., Look at the Variance! Efficient Black-box Explanations with Sobol-based Sensitivity Analysis, NeurIPS 2021, "
            "arXiv:2111.04138; estimator of Jansen, Analysis of variance designs for model output, 1999, doi:10.1016/S0010-4655(98)00154-4"
        ),
        formula=(
            "S_i = Σ_j (y(A_j) − y(C_ij))² / (2 · N · Var y(A)), where A and B are N masks each of a Sobol sequence, 0-1 for each cell, "
            "and C_i is A with cell i from B"
        ),
        cost=(
            "N · (cells² + 1) forward passes, 1,040 unless told, in batches. The masks B are not shown alone, because S_i does not need "
            "them."
        ),
        how_to_read=(
            "A cell is warm if the score changes much when this cell is covered more or less, whatever happens to the others. 0 means that "
            "the cell does not matter, and 1 that it decides everything."
        ),
        when_it_misleads=(
            "It has no sign: a warm cell may raise or lower the class. With few designs the indices are noisy, so repeat with another "
            "seed. Covered images are images that the model never saw."
        ),
        needs_image=True,
        lane="slow",
        artifacts=GRID_ARTIFACTS,
        facts=SobolFacts,
        example={"class_index": None, "designs": 8, "cells": 5},
        forward_only=True,
    )

    designs: Literal[4, 8, 16, 32, 64, 128, 256] = Field(
        default=16,
        description=(
            "This is the number N of masks for each cell. It is a power of two, for which a Sobol sequence is even. The authors take 32."
        ),
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Sobol:
        check_masks(self.masks(), limits, "/params/designs", " Take fewer `designs` or `cells`.")
        return super().resolve(model, limits)

    def masks(self) -> int:
        """Return the number of covered images that the model is shown."""
        return self.designs * (self.cells**2 + 1)

    def tries(self, model: ModelDescription) -> int:
        """Return the number of masks."""
        return self.masks()
