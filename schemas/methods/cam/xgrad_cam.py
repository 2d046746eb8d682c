"""The parameters of `xgrad_cam`."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, ClassCamParams
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams


class XgradCam(FramesParams, ClassCamParams):
    """A map of the evidence for a class: relu(Σ_k w_k·A_k) with w_k = Σ(∂y/∂A_k·A_k) / ΣA_k."""

    card: ClassVar[MethodCard] = MethodCard(
        name="xgrad_cam",
        title="XGrad-CAM",
        summary=(
            "This is Grad-CAM with each gradient weighted by its position's share of the channel's activation, so that the map nearly sums "
            "to the class's score."
        ),
        reference="Fu et al., Axiom-based Grad-CAM, arXiv:2008.02312",
        formula="relu(Σ_k w_k · A_k) with w_k = Σ_yx(∂y/∂A_k · A_k) / Σ_yx A_k",
        cost="One forward and one backward pass, from the class down to the layer.",
        how_to_read="Read it as Grad-CAM. The weights are chosen such that the map nearly sums to the class's logit.",
        when_it_misleads=(
            "It equals Grad-CAM at a layer that only global average pooling and one dense layer follow: choose an earlier layer to see "
            "them part. A channel whose activations nearly "
            "cancel out gets a weight that says little."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )
