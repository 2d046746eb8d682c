"""The parameters of `guided_grad_cam`: guided backpropagation where Grad-CAM finds evidence."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, GradientParams
from schemas.methods.target_layer import cam_layer, default_layer, explained_layer
from schemas.models import LayerPath, PublishedModel


class GuidedGradCamFacts(GradientFacts):
    """The classes, and the layer of Grad-CAM."""

    layer: str = Field(description="This is the path of Grad-CAM's target layer.")


class GuidedGradCam(GradientParams):
    """Fine detail of one class alone: guided backpropagation times Grad-CAM's map, position by position."""

    card: ClassVar[MethodCard] = MethodCard(
        name="guided_grad_cam",
        title="Guided Grad-CAM",
        summary="This shows the detail of guided backpropagation, but only where Grad-CAM finds evidence for the class.",
        reference="Selvaraju et al., Grad-CAM, arXiv:1610.02391, section 3.2",
        formula="guided backpropagation · Grad-CAM enlarged to the size of the image",
        cost="One forward and two backward passes.",
        how_to_read="It shows the fine detail of guided backpropagation, but only in the places where Grad-CAM finds the class.",
        when_it_misleads=(
            "Where it is bright comes from Grad-CAM, and only this part depends on the class. The detail inside would look the same for "
            "another class."
        ),
        needs_image=True,
        lane="fast",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GuidedGradCamFacts,
        example={"layer": None, "class_index": None},
    )

    layer: LayerPath | None = Field(
        default=None, description="This is the path of Grad-CAM's target layer. If it is null, the model's default target layer is used."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> GuidedGradCam:
        resolved = super().resolve(model, limits)
        if (target := resolved.other_target) is not None:
            return resolved.changed(layer=explained_layer(model, self.layer, target, self.output))
        return resolved.changed(layer=cam_layer(model, self.layer or default_layer(model, self.output), self.output))
