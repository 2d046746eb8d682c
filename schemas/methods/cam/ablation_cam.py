"""The parameters of `ablation_cam`."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, ChannelCamParams
from schemas.methods.card import MethodCard


class AblationCam(ChannelCamParams):
    """A map of the evidence for a class, made without gradients: relu(Σ_k w_k·A_k).

    The weight w_k is the share of the class's score that is lost if channel k is set to zero.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="ablation_cam",
        title="Ablation-CAM",
        summary="This heatmap weighs each channel by the part of the class's score that is lost when the channel is set to zero.",
        reference="Desai and Ramaswamy, Ablation-CAM, WACV 2020",
        formula="relu(Σ_k w_k · A_k) with w_k = (y − y without A_k) / y",
        cost="One pass through the upper part of the network for each channel that is tried.",
        how_to_read="A place is warm if channels that are active there are missed when they are set to zero.",
        when_it_misleads=(
            "Channels that stand in for each other hide each other: take away one, and the class does not fall. The map has the "
            "resolution of the layer."
        ),
        needs_image=True,
        lane="slow",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": 0},
    )
