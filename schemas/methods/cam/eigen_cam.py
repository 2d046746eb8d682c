"""The parameters of `eigen_cam`."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.cam.activation_params import ActivationCamParams
from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts
from schemas.methods.card import MethodCard


class EigenCam(ActivationCamParams):
    """A map of what dominates a layer, whatever the class: the first principal component of its activations over space."""

    card: ClassVar[MethodCard] = MethodCard(
        name="eigen_cam",
        title="EigenCAM",
        summary=(
            "This heatmap shows what dominates a layer's activations. It needs no class and no gradient, only one forward pass. The facts "
            "name the top class, if the model has classes."
        ),
        reference="Muhammad and Yeasin, Eigen-CAM, arXiv:2008.00299",
        formula="the first principal component of the layer's activations over all places, as one map",
        cost="One forward pass. There is no backward pass.",
        how_to_read=(
            "It shows what fills most of the layer's activations, whatever the class. It is a good first look at a backbone without "
            "classes."
        ),
        when_it_misleads=(
            "It explains no class: a large background may win. If it differs much from Grad-CAM, the class does not depend on what "
            "dominates the image."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None},
    )
