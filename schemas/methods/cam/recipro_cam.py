"""The parameters of `recipro_cam`: reciprocal class activation maps."""

from __future__ import annotations

import math
from typing import ClassVar, Self

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.cam.base import AUGMENTED, FRAMES_CAM_ARTIFACTS, CamFacts, TargetCamParams
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams
from schemas.methods.perturbation.base import Score, check_masks
from schemas.models import ModelDescription, PublishedModel


class ReciproCam(FramesParams, TargetCamParams):
    """A map of how much of a class the rest of the network finds in each position of a layer alone. It needs no gradients."""

    card: ClassVar[MethodCard] = MethodCard(
        name="recipro_cam",
        title="Recipro-CAM",
        summary=(
            "Each position of a layer is shown alone to the rest of the network. The heatmap is the probability of the class that comes "
            "out, from its smallest value up. The method needs no gradients."
        ),
        reference="Byun and Lee, Recipro-CAM: Fast gradient-free visual explanations for convolutional neural networks, arXiv:2209.14074",
        formula="p(A · m_yx) minus the smallest of these; the mask m_yx keeps the position (y, x) and a little of its eight neighbours",
        cost="One pass through the upper part of the network for each position of the layer: 49 for a map of 7 × 7.",
        how_to_read=(
            "A place is warm if the class is found in what the layer has there. It is as fast as Grad-CAM at the last layers, and "
            "saturated gradients cannot mislead it."
        ),
        when_it_misleads=(
            "Parts that mean something only together are cold, because each is shown alone. At early layers there are many positions, so "
            "it takes long, and one position alone says little."
        ),
        needs_image=True,
        lane="slow",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )

    gaussian: bool = Field(
        default=True,
        description=(
            "If it is true, a mask keeps a quarter of its position and less of the neighbours, in the shape of a Gaussian of 3 × 3, as in "
            "the paper. Otherwise it keeps the position alone."
        ),
    )
    max_positions: int = Field(
        default=784,
        ge=1,
        description=(
            "This many positions of a layer are tried at most. If a layer has more, they are tried in square blocks, and a block has one "
            "value. The time grows in proportion."
        ),
    )
    score: Score = Field(
        default="probability", description="The map has this score of the class: its probability as in the paper, or its logit."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = super().resolve(model, limits)
        masks = resolved.tries(model.description) * self.frame_count
        check_masks(masks, limits, "/params/max_positions", " Give a smaller max_positions, or fewer layers or frames.")
        return resolved

    def tries(self, model: ModelDescription) -> int:
        """Return how many positions these resolved parameters try at most."""
        return sum(self._tries_at(path, model) for path in self.layer_paths()) * (AUGMENTED if self.augment else 1)

    def _tries_at(self, path: str, model: ModelDescription) -> int:
        layer = model.layer_at(path)
        size = (layer.token_grid.height, layer.token_grid.width) if layer.token_grid is not None else layer.output_shape[:2]
        if size[0] is None or size[1] is None:  # the size of the photo decides
            return self.max_positions
        return math.prod(blocks(size[0], size[1], self.max_positions)[1:])


def blocks(height: int, width: int, most: int) -> tuple[int, int, int]:
    """Return the side of the smallest square blocks of which at most `most` cover a map, and their number down and across."""
    side = 1
    while math.ceil(height / side) * math.ceil(width / side) > most:
        side += 1
    return side, math.ceil(height / side), math.ceil(width / side)
