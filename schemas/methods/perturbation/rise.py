"""The parameters of `rise`: randomized input sampling for explanation."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.colormap import Colormap
from schemas.methods.frames import FramesParams
from schemas.methods.heat import HEAT_ALPHA, HEAT_COLORMAP
from schemas.methods.perturbation.agreement import AgreementFacts
from schemas.methods.perturbation.base import FRAMES_PERTURBATION_ARTIFACTS, PerturbationParams, Score, check_masks
from schemas.models import ModelDescription, PublishedModel


class RiseFacts(AgreementFacts):
    """Says how far the map can be trusted, beside the classes that are explained."""


class Rise(FramesParams, PerturbationParams):
    """The parts of the image that must be visible for a class to be recognised.

    The map is the mean of random soft masks, each weighted by the class's score for the image under the mask.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="rise",
        title="RISE",
        summary=(
            "The model sees the image through many random soft masks. The mean mask, weighted by the class's probability, shows what must "
            "be visible for the class to be recognised. The method needs no gradients."
        ),
        reference="Petsiuk et al., RISE, arXiv:1806.07421",
        formula=(
            "Σ_i p(x · m_i) · m_i over random soft masks m_i, divided by the number of masks and by the probability that a place is visible"
        ),
        cost="One forward pass for each mask, 1,000 unless told, in batches.",
        how_to_read="A place is warm if the class is more probable when the place is visible. It sees the model only from outside.",
        when_it_misleads=(
            "With few masks the map is noise: the fainter the map, the more masks it needs. The grain of the masks (`cells`) bounds the "
            "detail."
        ),
        needs_image=True,
        lane="slow",
        artifacts=FRAMES_PERTURBATION_ARTIFACTS,
        facts=RiseFacts,
        example={"class_index": None, "masks": 500},
        forward_only=True,
    )

    score: Score = Field(
        default="probability", description="This score of the class is the weight of a mask: its probability as in the paper, or its logit."
    )
    masks: int = Field(
        default=1000,
        ge=1,
        description=(
            "This is the number of random masks. The paper takes 4,000 to 8,000. More masks give a smoother map and take more time in "
            "proportion."
        ),
    )
    probability: float = Field(
        default=0.5, gt=0, lt=1, description="This is the probability that a cell of a mask is open, above 0 and below 1."
    )
    cells: int = Field(
        default=7, ge=1, le=64, description="This is the number of cells of a mask, down and across, before it is enlarged and shifted."
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="This is the seed of the random masks. The same seed gives the same map.")
    colormap: Colormap = HEAT_COLORMAP
    alpha: float = HEAT_ALPHA

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Rise:
        check_masks(self.masks * self.frame_count, limits, "/params/masks", "")
        return super().resolve(model, limits)

    def tries(self, model: ModelDescription) -> int:
        """Return the number of masks."""
        return self.masks
