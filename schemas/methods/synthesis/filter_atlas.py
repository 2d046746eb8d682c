"""The parameters and facts of `filter_atlas`: an image for each channel of a layer, all on one sheet."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.annotate import NumberedTilesParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.channels import layer_with_channels
from schemas.methods.facts import Facts
from schemas.methods.synthesis.ascent_params import AscentParams
from schemas.methods.synthesis.check_limit import check_limit
from schemas.methods.synthesis.drawn_channels import check_drawn_channels
from schemas.methods.target_layer import default_layer
from schemas.models import LayerPath, PublishedModel


class FilterAtlasFacts(Facts):
    layer: str = Field(description="This is the path of the target layer.")
    channels: int = Field(description="This is the number of the layer's channels, each of which has a tile.")
    side: int = Field(description="This is the height of a tile in pixels, which is also its width unless `size` has two numbers.")
    width: int = Field(description="This is the width of a tile in pixels.")
    gap: int = Field(description="This is the distance between two tiles in pixels.")
    columns: int = Field(description="This is the number of tiles in a row. The array `order` holds the channel at each place.")
    strongest: tuple[int, ...] = Field(
        description="These are up to 16 channels with the highest final objective, the highest first, without dead ones."
    )
    dead_channels: tuple[int, ...] = Field(
        description="These are the channels whose images no gradient ever reached. They are drawn as crossed tiles."
    )
    reused: int = Field(description="This is the number of channels whose images were taken over from earlier jobs.")


class FilterAtlas(NumberedTilesParams, AscentParams):
    """An image for every channel of a layer, all on one sheet.

    Images that earlier jobs (of `filter_atlas` or `filters`) have made with the same parameters are taken over. A job that is stopped,
    also by its time limit, leaves the images that it has finished: if it is submitted again, it continues from there.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="filter_atlas",
        title="Filter atlas",
        summary=(
            "This method shows what every channel of a layer looks for, on one sheet. It takes over images that earlier jobs have made. A "
            "job that was stopped continues where it was when it is submitted again."
        ),
        reference="Olah et al., Feature Visualization, Distill 2017, appendix; OpenAI Microscope, 2020",
        formula="x* = argmax_x of the mean activation, for every channel of the layer",
        cost="As `filters`, for every channel of the layer; channels that are finished are kept.",
        how_to_read="Read the sheet as a map of what the layer can see. Grey tiles are channels that nothing moves.",
        when_it_misleads=(
            "As with `filters`, each tile is one answer of many. Small tiles hide detail: ask for a channel alone to see it larger."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("atlas", "image", "This shows a tile for each channel under a title.", primary=True),
            ArtifactSpec("tiles", "array", "These are the tiles by channel, (channels, height, width, 3) uint8 RGB."),
            ArtifactSpec("objectives", "array", "This is each channel's objective at the last step, (channels,) float32."),
            ArtifactSpec("order", "array", "This is the channel at each place of the atlas, row by row, (channels,) int32."),
        ),
        facts=FilterAtlasFacts,
        example={"layer": None, "size": 32, "steps": 16, "order": "objective"},
    )

    layer: LayerPath | None = Field(
        default=None,
        description="This is the path of the target layer, which must have channels. If it is null, the model's default target layer is "
        "used.",
    )
    order: Literal["channel", "objective"] = Field(
        default="channel",
        description="This is the order of the tiles: by channel index (`channel`), or the highest final objective first (`objective`).",
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> FilterAtlas:
        check_drawn_channels(model)
        layer = layer_with_channels(model, self.layer or default_layer(model))
        path = layer.path
        columns = self.columns or math.ceil(math.sqrt(layer.channels or 1))
        resolved = self.changed(**(self.preset_values(model, (path,)) | {"layer": path, "columns": columns}))
        resolved.check_ascent(limits)
        height, width = resolved.sides()
        pixels = height * width * (layer.channels or 0)
        check_limit(f"product height × width × channels ({layer.channels})", pixels, limits.max_atlas_pixels, "/params/size")
        return resolved
