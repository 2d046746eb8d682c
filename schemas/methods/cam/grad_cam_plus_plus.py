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
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )
