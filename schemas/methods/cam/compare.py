"""`compare`: several class activation maps of one photo side by side."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from schemas.methods.cam.base import CamFacts, ChannelCamParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.models import ModelDescription

Compared = Literal["grad_cam", "grad_cam_plus_plus", "layer_cam", "hires_cam", "xgrad_cam", "eigen_cam", "score_cam", "ablation_cam"]
# Those of them that try channels, one pass of the model each.
BY_CHANNEL = ("score_cam", "ablation_cam")


class CompareFacts(CamFacts):
    """The class explained, the layer, and the methods in the order of their tiles."""

    methods: tuple[Compared, ...]


class Compare(ChannelCamParams):
    """Several class activation maps of one photo, class and layer: those made of gradients share one pass of the model."""

    card: ClassVar[MethodCard] = MethodCard(
        name="compare",
        title="Compare CAMs",
        summary="One sheet with the overlays of several class activation maps, named: the same photo, class, layer and options for all.",
        reference="The papers of the methods compared",
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec("sheet", "image", "A tile for each method, named; several classes: a row each.", primary=True),
            ArtifactSpec(
                "map.{method}",
                "array",
                "Each method's unscaled map (h, w) float32 at the layer's resolution; (n, h, w) for a list of n classes. Several layers: "
                "fused, at the finest layer's resolution.",
            ),
        ),
        facts=CompareFacts,
        example={"methods": ["grad_cam", "layer_cam", "eigen_cam"], "layer": None, "class_index": None},
    )

    methods: Annotated[tuple[Compared, ...], Field(min_length=1)] = Field(
        default=("grad_cam", "grad_cam_plus_plus", "layer_cam", "hires_cam", "xgrad_cam", "eigen_cam"),
        description="What is compared, in this order. `score_cam` and `ablation_cam` take longer than the others.",
    )
    max_channels: int | None = Field(
        default=256, ge=1, description="Channels that `score_cam` and `ablation_cam` try at each layer, those that vary most; null: all."
    )

    @field_validator("methods")
    @classmethod
    def _each_once(cls, methods: tuple[Compared, ...]) -> tuple[Compared, ...]:
        return tuple(dict.fromkeys(methods))

    def tries(self, model: ModelDescription) -> int:
        return super().tries(model) * sum(method in BY_CHANNEL for method in self.methods)
