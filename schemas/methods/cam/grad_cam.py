"""`grad_cam`: gradient-weighted class activation mapping."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.cam.base import CAM_ARTIFACTS, CamFacts, ClassCamParams
from schemas.methods.card import MethodCard
from schemas.methods.colormap import Colormap
from schemas.models import PublishedModel


class GradCam(ClassCamParams):
    """Where in the photo the evidence for a class lies: relu Σ_k mean(∂y/∂A_k)·A_k at the target layer."""

    card: ClassVar[MethodCard] = MethodCard(
        name="grad_cam",
        title="Grad-CAM",
        summary="Heatmap of the regions that speak for a class, laid over the photo.",
        reference="Selvaraju et al., Grad-CAM, arXiv:1610.02391",
        needs_image=True,
        lane="fast",
        artifacts=CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )

    preset: Literal["standard", "dlwp1", "keras_io"] = Field(
        default="standard",
        description=(
            "`standard`: logits, alpha blend. `dlwp1` (Deep Learning with Python, 1st ed., 5.4.3): score after softmax, channel "
            "mean, heatmap·0.4 + photo, JET. `keras_io` (keras.io Grad-CAM example): logits, overlay rescaled min-max."
        ),
    )
    colormap: Colormap = Field(default="jet", description="Colours of the heatmap; the presets fix `jet`.")
    alpha: float = Field(default=0.4, ge=0, le=1, description="Weight of the heatmap in the overlay; the presets fix 0.4.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> GradCam:
        fixed = {} if self.preset == "standard" else {"colormap": "jet", "alpha": 0.4}
        return super().resolve(model, limits).changed(**fixed)
