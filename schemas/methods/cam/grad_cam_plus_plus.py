"""`grad_cam_plus_plus`: Grad-CAM++."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.cam.base import CAM_ARTIFACTS, CamFacts, ClassCamParams
from schemas.methods.card import MethodCard


class GradCamPlusPlus(ClassCamParams):
    """Where in the photo the evidence for a class lies, all occurrences alike: relu Σ_k w_k·A_k with w_k = Σ α·relu(∂y/∂A_k)."""

    card: ClassVar[MethodCard] = MethodCard(
        name="grad_cam_plus_plus",
        title="Grad-CAM++",
        summary="Grad-CAM with its gradients weighted position by position, so that every occurrence of an object is covered.",
        reference="Chattopadhyay et al., Grad-CAM++, arXiv:1710.11063",
        needs_image=True,
        lane="fast",
        artifacts=CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )
