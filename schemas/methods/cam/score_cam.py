"""The parameters of `score_cam`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, ChannelCamParams
from schemas.methods.card import MethodCard


class ScoreCam(ChannelCamParams):
    """A map of the evidence for a class, made without gradients: relu(Σ_k w_k·A_k).

    The weights are the softmax over the channels of the class's score for the input under each channel's mask.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="score_cam",
        title="Score-CAM",
        summary="This heatmap weighs each channel by the class's score for the image under a mask that is made of the channel.",
        reference="Wang et al., Score-CAM, arXiv:1910.01279",
        formula="relu(Σ_k w_k · A_k) with w = softmax_k(y(x · M_k)), where M_k is A_k enlarged and scaled to 0-1",
        cost="One forward pass for each channel that is tried, in batches. There is no backward pass.",
        how_to_read=(
            "A place is warm if the image, shown only where a channel is active, still has the class. It needs no gradients, so "
            "saturated ones cannot mislead it."
        ),
        when_it_misleads=(
            "Masked images are images that the model never saw in training, so a mask may raise the class by accident. With few channels "
            "(`max_channels`) the quiet ones are left out."
        ),
        needs_image=True,
        lane="slow",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None, "max_channels": 64},
    )

    max_channels: int | None = Field(
        default=256,
        ge=1,
        description=(
            "This many channels of each layer are tried, those whose values vary most; the others have the weight 0. If it is null, all "
            "channels are tried, as in the paper. The job's time grows in proportion."
        ),
    )
