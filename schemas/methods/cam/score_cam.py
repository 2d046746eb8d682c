"""`score_cam`: Score-CAM."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.methods.cam.base import CAM_ARTIFACTS, CamFacts, ChannelCamParams
from schemas.methods.card import MethodCard


class ScoreCam(ChannelCamParams):
    """Where in the photo the evidence for a class lies, without gradients: relu Σ_k w_k·A_k with w = softmax_k of the class's score
    where channel k masks the input."""

    card: ClassVar[MethodCard] = MethodCard(
        name="score_cam",
        title="Score-CAM",
        summary="Heatmap whose channels are weighted by the class's score of the photo seen through each of them.",
        reference="Wang et al., Score-CAM, arXiv:1910.01279",
        needs_image=True,
        lane="slow",
        artifacts=CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None, "max_channels": 64},
    )

    max_channels: int | None = Field(
        default=256,
        ge=1,
        description="Channels tried at each layer, those that vary most; the others weigh 0. null: all (the paper's). Time goes with it.",
    )
