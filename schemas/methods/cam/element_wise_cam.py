"""The parameters of `element_wise_cam`."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, ClassCamParams
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams


class ElementWiseCam(FramesParams, ClassCamParams):
    """A map of what raises a class, with nothing that lowers it subtracted: Σ_k relu(∂y/∂A_k·A_k)."""

    card: ClassVar[MethodCard] = MethodCard(
        name="element_wise_cam",
        title="Element-wise Grad-CAM",
        summary=(
            "This heatmap adds up the evidence for a class in every channel and at every position. Evidence against the class is left out "
            "before the channels are added."
        ),
        reference="The package grad-cam (Gildenblat), class GradCAMElementWise; the products are those of HiResCAM, arXiv:2011.08891",
        formula="Σ_k relu(∂y/∂A_k · A_k), place by place",
        cost="One forward and one backward pass, from the class down to the layer.",
        how_to_read=(
            "A place is warm if some channel raises the class there. Compared with HiResCAM, places where channels disagree stay warm, so "
            "it shows more of the object."
        ),
        when_it_misleads=(
            "Channels that lower the class are left out, so a place may be warm although all channels together speak against the class. "
            "Read it beside HiResCAM."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )
