"""`guided_grad_cam`: guided backpropagation where Grad-CAM looks."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, GradientParams
from schemas.methods.target_layer import cam_layer, default_layer
from schemas.models import LayerPath, PublishedModel


class GuidedGradCamFacts(GradientFacts):
    layer: str


class GuidedGradCam(GradientParams):
    """Fine detail of one class alone: guided backpropagation, each position times Grad-CAM's value there."""

    card: ClassVar[MethodCard] = MethodCard(
        name="guided_grad_cam",
        title="Guided Grad-CAM",
        summary="The detail that guided backpropagation shows, only where Grad-CAM finds evidence for the class.",
        reference="Selvaraju et al., Grad-CAM, arXiv:1610.02391, section 3.2",
        needs_image=True,
        lane="fast",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GuidedGradCamFacts,
        example={"layer": None, "class_index": None},
    )

    layer: LayerPath | None = Field(default=None, description="Grad-CAM's target layer; null: the model's default.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> GuidedGradCam:
        resolved = super().resolve(model, limits)
        return resolved.changed(layer=cam_layer(model, self.layer or default_layer(model, self.output), self.output))
