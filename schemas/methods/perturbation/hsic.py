"""The parameters of `hsic`: how much a class's score depends on each cell of the image."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.perturbation.agreement import AgreementFacts
from schemas.methods.perturbation.base import check_masks
from schemas.methods.perturbation.grid_masks import GRID_ARTIFACTS, GridMaskParams
from schemas.models import ModelDescription, PublishedModel


class HsicFacts(AgreementFacts):
    """Holds how large a dependence is by chance, beside the classes that are explained. The lists are in the order of `classes`."""

    chance: tuple[float, ...] = Field(
        description=(
            "This is the dependence that 95 % of the cells stay below if the scores are shuffled among the masks. A cell that is not "
            "clearly above it may be warm by chance."
        )
    )


class Hsic(GridMaskParams):
    """The dependence of a class's score on each cell of the image, as a kernel measures it, which also sees what is not linear."""

    card: ClassVar[MethodCard] = MethodCard(
        name="hsic",
        title="HSIC",
        summary=(
            "Random masks cover half of the cells of a grid. Each cell is as warm as the class's score depends on whether the cell is "
            "visible, measured by the Hilbert-Schmidt independence criterion. The method needs no gradients."
        ),
        reference=(
            "Novello, Fel and Vigouroux, Making Sense of Dependence: Efficient Black-box Explanations Using Dependence Measure, NeurIPS "
            "2022, arXiv:2206.06219"
        ),
        formula=(
            "HSIC_i = tr(K_i · H · L · H) / n over n masks, where K_i compares cell i of two masks, L compares their scores by a Gaussian "
            "kernel whose width is the median distance of scores, and H subtracts means"
        ),
        cost="One forward pass for each mask, 500 unless told, in batches.",
        how_to_read=(
            "A cell is warm if the score is another one when this cell is visible. It needs fewer masks than `rise` and `sobol`, because "
            "every mask tells something about every cell. Compare with `facts.chance`."
        ),
        when_it_misleads=(
            "It has no sign: a warm cell may raise or lower the class. Values depend on the width of the kernel, so compare cells of one "
            "map, and not maps of two images. Covered images are images that the model never saw."
        ),
        needs_image=True,
        lane="slow",
        artifacts=GRID_ARTIFACTS,
        facts=HsicFacts,
        example={"class_index": None, "masks": 200, "cells": 5},
        forward_only=True,
    )

    masks: int = Field(default=500, ge=8, description="This is the number of random masks. More masks give less noise and take more time.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Hsic:
        check_masks(self.masks, limits, "/params/masks", "")
        return super().resolve(model, limits)

    def tries(self, model: ModelDescription) -> int:
        """Return the number of masks."""
        return self.masks
