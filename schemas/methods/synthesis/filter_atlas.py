"""`filter_atlas`: all channels of a layer, synthesised, on one sheet."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.synthesis.ascent import AscentParams, check_limit
from schemas.methods.synthesis.objectives import layer_with_channels
from schemas.methods.target_layer import default_layer
from schemas.models import LayerPath, PublishedModel


class FilterAtlasFacts(Facts):
    layer: str
    channels: int
    side: int = Field(description="Of a tile, pixels.")
    gap: int = Field(description="Pixels between tiles.")
    columns: int = Field(description="Tiles in a row; the array `order` says which channel stands where.")
    strongest: tuple[int, ...] = Field(description="The 16 channels with the highest final objective, highest first.")
    dead_channels: tuple[int, ...] = Field(description="No gradient: not drawn.")
    reused: int = Field(description="Channels taken over from earlier jobs.")


class FilterAtlas(AscentParams):
    """An image for every channel of a layer, all on one sheet.

    Channels that earlier jobs have synthesised with the same parameters (another atlas, or `filters`) are taken over. A job that is
    stopped, by its time limit too, leaves what it has finished: submitted again, it goes on from there.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="filter_atlas",
        title="Filter atlas",
        summary=(
            "What every channel of a layer looks for, on one sheet. It takes over channels that were synthesised before; a job that was "
            "stopped goes on where it was when it is submitted again."
        ),
        reference="Olah et al., Feature Visualization, Distill 2017, appendix; OpenAI Microscope, 2020",
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("atlas", "image", "A tile for each channel.", primary=True),
            ArtifactSpec("tiles", "array", "(channels, side, side, 3) uint8 RGB: each channel's tile, by channel."),
            ArtifactSpec("objectives", "array", "(channels,) float32: each channel's objective at the last step."),
            ArtifactSpec("order", "array", "(channels,) int32: the channel at each place of the atlas, row by row."),
        ),
        facts=FilterAtlasFacts,
        example={"layer": None, "size": 32, "steps": 16, "order": "objective"},
    )

    layer: LayerPath | None = Field(default=None, description="A layer with channels; null: the model's default layer.")
    order: Literal["channel", "objective"] = Field(
        default="channel", description="How tiles follow each other: by channel, or the highest final objective first."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> FilterAtlas:
        path = self.layer or default_layer(model)
        layer = layer_with_channels(model, path)
        changes = self.by_preset(model, (path,)) | {"layer": path, "columns": self.columns or math.ceil(math.sqrt(layer.channels or 1))}
        resolved = self.changed(**changes)
        resolved.check_ascent(limits)
        pixels = (resolved.size or 0) ** 2 * (layer.channels or 0)
        check_limit(f"size² × channels ({layer.channels})", pixels, limits.max_atlas_pixels, "/params/size")
        return resolved
