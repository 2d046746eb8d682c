"""The parameters of `grad_cam`: gradient-weighted class activation mapping."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, ClassCamParams
from schemas.methods.card import MethodCard
from schemas.methods.colormap import Colormap
from schemas.methods.frames import FramesParams
from schemas.models import PublishedModel


class GradCam(FramesParams, ClassCamParams):
    """A map of the evidence for a class: relu(Σ_k mean(∂y/∂A_k)·A_k) at the target layer."""

    card: ClassVar[MethodCard] = MethodCard(
        name="grad_cam",
        title="Grad-CAM",
        summary="This heatmap on the image shows the regions that speak for a class.",
        reference="Selvaraju et al., Grad-CAM, arXiv:1610.02391",
        formula="relu(Σ_k mean_yx(∂y/∂A_k) · A_k), where A_k is channel k of the layer and y the class's logit",
        cost="One forward and one backward pass, from the class down to the layer.",
        how_to_read=(
            "Warm places raise the class's logit, and cold places do not. Only the order of the places counts: the map is scaled to 0-1 "
            "for each image, so two images cannot be compared by colour. Ask for a second class and see whether the heat moves."
        ),
        when_it_misleads=(
            "The map has the resolution of the layer, often 7 × 7, so edges of the heat are not edges of the object. The gradients are "
            "averaged over the map, so a place may be warm although the class did not use it. With several objects of the class, the "
            "strongest one may hide the others. At a layer that only global average pooling and one dense layer follow, HiResCAM and "
            "XGrad-CAM give the same map by their formulas."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )

    preset: Literal["standard", "dlwp1", "keras_io"] = Field(
        default="standard",
        description=(
            "A preset computes and draws the map as a known source does. `standard` differentiates the logit and blends the heatmap with "
            "the image. `dlwp1` (Deep Learning with Python, 1st edition, 5.4.3) differentiates the probability, takes the mean over the "
            "channels, and draws 0.4·heatmap + image in jet. `keras_io` (the keras.io example of Grad-CAM) differentiates the logit and "
            "stretches the overlay from its smallest to its largest value."
        ),
    )
    colormap: Colormap = Field(
        default="turbo", description="The heatmap has the colours of this colormap. The presets `dlwp1` and `keras_io` always use `jet`."
    )
    alpha: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description=(
            "This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. It falls with the "
            "heat. The presets `dlwp1` and `keras_io` always use 0.4 everywhere."
        ),
    )

    @property
    def explained_score(self) -> Literal["logit", "probability"]:
        """The score of the classes that is explained."""
        return "probability" if self.preset == "dlwp1" else "logit"

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> GradCam:
        fixed = {} if self.preset == "standard" else {"colormap": "jet", "alpha": 0.4}
        return super().resolve(model, limits).changed(**fixed)
