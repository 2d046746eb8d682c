"""The parameters of `layer_cam`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, ClassCamParams, Fusing
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams


class LayerCam(FramesParams, ClassCamParams):
    """A map of the evidence for a class that is sharp at early layers, too: relu(Σ_k relu(∂y/∂A_k)·A_k)."""

    card: ClassVar[MethodCard] = MethodCard(
        name="layer_cam",
        title="LayerCAM",
        summary="This heatmap shows the positions that raise a class's score at any depth. Fused layers give detail and meaning.",
        reference="Jiang et al., LayerCAM, IEEE Transactions on Image Processing 30, 2021",
        formula="relu(Σ_k relu(∂y/∂A_k) · A_k), place by place; several layers are fused by their mean or by the maximum of tanh(2 · map)",
        cost="One forward and one backward pass; several layers share them.",
        how_to_read="At an early layer it marks edges and parts, at the last layer whole objects. Fuse two or three layers to get both.",
        when_it_misleads=(
            "At early layers much of the heat is texture that every class shares. Gradients that lower the class are left out, so "
            "evidence against the class never shows."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )

    fuse: Fusing = Field(
        default="max",
        description=(
            "The maps of several layers are scaled to 0-1 and become one map in this way: the `max` of tanh(2·map) as in the paper, or "
            "their `mean`."
        ),
    )
