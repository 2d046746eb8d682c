"""The parameters of `compare`: several class activation maps of one image side by side."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from schemas.methods.cam.base import CamFacts, ChannelCamParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.frames import ANIMATION
from schemas.models import ModelDescription

Compared = Literal[
    "grad_cam", "grad_cam_plus_plus", "layer_cam", "hires_cam", "xgrad_cam", "element_wise_cam", "eigen_cam", "kpca_cam", "fem",
    "score_cam", "ablation_cam",
]  # fmt: skip
BY_CHANNEL = ("score_cam", "ablation_cam")
"""These methods try the channels of a layer on the model, which takes many passes."""


class CompareFacts(CamFacts):
    """The classes, the layers, and the methods that are compared."""

    methods: tuple[Compared, ...] = Field(description="These are the methods in the order of their tiles.")


class Compare(ChannelCamParams):
    """Several class activation maps of one image, class and layer. The methods that use gradients share one pass of the model."""

    card: ClassVar[MethodCard] = MethodCard(
        name="compare",
        title="Compare CAMs",
        summary="One sheet shows the overlays of several class activation maps, all for the same image, class, layer and options.",
        reference="The papers of the methods compared",
        formula="the maps of the methods that are named, each by its own formula",
        cost="The sum of the methods; those that need the same pass share it.",
        how_to_read="Look for the places that all maps mark. Where maps differ, `faithfulness` can say which one the model agrees with.",
        when_it_misleads=(
            "Agreement is no proof: maps of one family share their weaknesses. At a layer that is followed by global pooling and one "
            "dense layer, Grad-CAM, HiResCAM and XGrad-CAM are the same map by their formulas."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec("sheet", "image", "The sheet has a tile with a caption for each method, and a row for each class.", primary=True),
            ArtifactSpec(
                "map.{method}",
                "array",
                "This is each method's unscaled map (h, w) float32 at the layer's resolution, or (n, h, w) for a list of n classes. For "
                "several layers, it is the fused map at the finest layer's resolution.",
            ),
            ANIMATION,
        ),
        facts=CompareFacts,
        example={"methods": ["grad_cam", "layer_cam", "eigen_cam"], "layer": None, "class_index": None},
    )

    methods: Annotated[tuple[Compared, ...], Field(min_length=1)] = Field(
        default=("grad_cam", "grad_cam_plus_plus", "layer_cam", "hires_cam", "xgrad_cam", "eigen_cam"),
        description="These methods are compared, in this order. `score_cam` and `ablation_cam` take longer than the others.",
    )
    max_channels: int | None = Field(
        default=256,
        ge=1,
        description=(
            "`score_cam` and `ablation_cam` try this many channels of each layer, those whose values vary most. If it is null, they try "
            "all channels."
        ),
    )

    @field_validator("methods")
    @classmethod
    def _each_once(cls, methods: tuple[Compared, ...]) -> tuple[Compared, ...]:
        return tuple(dict.fromkeys(methods))

    def tries(self, model: ModelDescription) -> int:
        return super().tries(model) * sum(method in BY_CHANNEL for method in self.methods)
