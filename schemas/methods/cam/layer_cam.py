"""`layer_cam`: LayerCAM."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.methods.cam.base import CAM_ARTIFACTS, CamFacts, ClassCamParams, Fusing
from schemas.methods.card import MethodCard


class LayerCam(ClassCamParams):
    """Where in the photo the evidence for a class lies, sharp at early layers too: relu Σ_k relu(∂y/∂A_k)·A_k."""

    card: ClassVar[MethodCard] = MethodCard(
        name="layer_cam",
        title="LayerCAM",
        summary="Heatmap of the positions that raise a class's score, at every depth: several layers fuse detail and meaning.",
        reference="Jiang et al., LayerCAM, IEEE Transactions on Image Processing 30, 2021",
        needs_image=True,
        lane="fast",
        artifacts=CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )

    fuse: Fusing = Field(
        default="max",
        description="How the maps of several layers become one, each scaled to 0-1: `max` of tanh(2·map), as in the paper, or `mean`.",
    )
