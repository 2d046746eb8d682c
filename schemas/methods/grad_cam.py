"""`grad_cam`: gradient-weighted class activation mapping."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.base import (
    ArtifactSpec,
    Colormap,
    Facts,
    MethodCard,
    PrecisionParams,
    Prediction,
    TargetClassParams,
    TargetLayerParams,
)
from schemas.models import PublishedModel


class CamFacts(Facts):
    """The class explained, with its score; `classes` has all of them where several were asked for."""

    layer: str
    class_index: int
    label: str | None
    logit: float
    probability: float
    classes: tuple[Prediction, ...]


class GradCam(TargetLayerParams, TargetClassParams, PrecisionParams):
    """Where in the photo the evidence for a class lies: relu Σ_k mean(∂y/∂A_k)·A_k at the target layer."""

    card: ClassVar[MethodCard] = MethodCard(
        name="grad_cam",
        title="Grad-CAM",
        summary="Heatmap of the regions that speak for a class, laid over the photo.",
        reference="Selvaraju et al., Grad-CAM, arXiv:1610.02391",
        needs_image=True,
        lane="fast",
        artifacts=(
            ArtifactSpec(
                "overlay",
                "image",
                "Heatmap on the photo, at its own size; several classes: a tile each, named.",
                primary=True,
            ),
            ArtifactSpec("heatmap", "image", "Heatmap alone, at the photo's own size; black where the model did not look (`fit` crop)."),
            ArtifactSpec("map", "array", "Unscaled map (h, w) float32 at the layer's resolution; (n, h, w) for a list of n classes."),
        ),
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
        return self.changed(layer=self.resolve_layer(model), class_index=self.resolve_classes(model, limits), **fixed)
