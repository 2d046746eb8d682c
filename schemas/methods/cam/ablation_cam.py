"""`ablation_cam`: Ablation-CAM."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.cam.base import CAM_ARTIFACTS, CamFacts, ChannelCamParams
from schemas.methods.card import MethodCard


class AblationCam(ChannelCamParams):
    """Where in the photo the evidence for a class lies, without gradients: relu Σ_k w_k·A_k with w_k the share of the class's score
    that is lost without channel k."""

    card: ClassVar[MethodCard] = MethodCard(
        name="ablation_cam",
        title="Ablation-CAM",
        summary="Heatmap whose channels are weighted by what the class's score loses when each is set to zero.",
        reference="Desai and Ramaswamy, Ablation-CAM, WACV 2020",
        needs_image=True,
        lane="slow",
        artifacts=CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": 0},
    )
