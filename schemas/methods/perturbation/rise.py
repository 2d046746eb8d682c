"""`rise`: randomized input sampling for explanation."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.colormap import Colormap
from schemas.methods.perturbation.base import PERTURBATION_ARTIFACTS, PerturbationFacts, PerturbationParams, Score, check_masks
from schemas.models import ModelDescription, PublishedModel


class Rise(PerturbationParams):
    """What must be seen of the photo for a class to be recognised: the mean of random soft masks, each weighted by the class's
    score for the photo seen through it."""

    card: ClassVar[MethodCard] = MethodCard(
        name="rise",
        title="RISE",
        summary=(
            "The photo is seen through thousands of random soft masks; their mean, weighted by the class's probability, shows what "
            "must be visible for the class to be recognised. Asks the model alone: no gradients."
        ),
        reference="Petsiuk et al., RISE, arXiv:1806.07421",
        needs_image=True,
        lane="slow",
        artifacts=PERTURBATION_ARTIFACTS,
        facts=PerturbationFacts,
        example={"class_index": None, "masks": 500},
    )

    score: Score = Field(default="probability", description="What weights a mask: the class's probability, as in the paper, or its logit.")
    masks: int = Field(
        default=1000, ge=1, description="Random masks; the paper takes 4,000 to 8,000: smoother maps, for as much more time."
    )
    probability: float = Field(default=0.5, gt=0, lt=1, description="That a cell of a mask lets the photo through.")
    cells: int = Field(default=7, ge=1, le=64, description="Cells of a mask, down and across, before it is enlarged and shifted.")
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the random masks.")
    colormap: Colormap = Field(default="jet", description="Colours of the heatmap.")
    alpha: float = Field(default=0.4, ge=0, le=1, description="Weight of the heatmap in the overlay.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Rise:
        check_masks(self.masks, limits, "/params/masks", "")
        return super().resolve(model, limits)

    def tries(self, model: ModelDescription) -> int:
        return self.masks
