"""The parameters of `eigen_cam`."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.cam.base import CAM_ARTIFACTS, CamFacts, CamParams
from schemas.methods.card import MethodCard


class EigenCam(CamParams):
    """A map of what dominates a layer, whatever the class: the first principal component of its activations over space."""

    card: ClassVar[MethodCard] = MethodCard(
        name="eigen_cam",
        title="EigenCAM",
        summary=(
            "This heatmap shows what dominates a layer's activations. It needs no class and no gradient, only one forward pass. The facts "
            "name the top class."
        ),
        reference="Muhammad and Yeasin, Eigen-CAM, arXiv:2008.00299",
        needs_image=True,
        lane="fast",
        artifacts=CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None},
    )
