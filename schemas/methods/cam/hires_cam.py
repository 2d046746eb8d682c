"""The parameters of `hires_cam`."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, ClassCamParams
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams


class HiresCam(FramesParams, ClassCamParams):
    """A map of the evidence for a class, position by position: relu(Σ_k ∂y/∂A_k·A_k)."""

    card: ClassVar[MethodCard] = MethodCard(
        name="hires_cam",
        title="HiResCAM",
        summary="This heatmap shows the exact positions that raise a class's score, because gradients are not averaged over the map.",
        reference="Draelos and Carin, HiResCAM, arXiv:2011.08891",
        formula="relu(Σ_k ∂y/∂A_k · A_k), place by place",
        cost="One forward and one backward pass, from the class down to the layer.",
        how_to_read=(
            "Each warm place raised the class's logit through its own gradient. If the layer is followed by global pooling and one dense "
            "layer, the map is exactly what each place adds to the logit, and it equals Grad-CAM."
        ),
        when_it_misleads=(
            "At layers deep inside the network the gradients change from place to place, so the map looks rougher than Grad-CAM. This is "
            "what the model does, and no fault of the picture. At a layer that only global average pooling and one dense layer follow, "
            "it equals Grad-CAM: choose an earlier layer to see them part."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )
