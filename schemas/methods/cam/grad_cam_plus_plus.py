"""The parameters of `grad_cam_plus_plus`."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, ClassCamParams
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams


class GradCamPlusPlus(FramesParams, ClassCamParams):
    """A map of the evidence for a class that covers every occurrence alike: relu(Σ_k w_k·A_k) with w_k = Σ α·relu(∂y/∂A_k)."""

    card: ClassVar[MethodCard] = MethodCard(
        name="grad_cam_plus_plus",
        title="Grad-CAM++",
        summary="This is Grad-CAM with a weight for the gradient at each position, so that the map covers every occurrence of an object.",
        reference="Chattopadhyay et al., Grad-CAM++, arXiv:1710.11063",
        formula="relu(Σ_k w_k · A_k) with w_k = Σ_yx α · relu(G_k), α = G² / (2G² + G³ · Σ_yx A_k), G = ∂y/∂A_k",
        cost="One forward and one backward pass, from the class down to the layer.",
        how_to_read="Read it as Grad-CAM. It covers more of the object, and more than one object of the class.",
        when_it_misleads=(
            "Only gradients that raise the class count, so places that speak against the class cannot lower the map. It often marks more "
            "than the class needs. The resolution is that of the layer."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )
