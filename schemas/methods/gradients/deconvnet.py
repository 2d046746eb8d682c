"""The parameters of `deconvnet`: the pattern in the image to which a channel, or one neuron, responds."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.errors import InvalidParameters, UnknownChannel
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.channels import ChannelIndex, check_channels
from schemas.methods.facts import Facts
from schemas.methods.gradients.base import PictureParams
from schemas.methods.target_layer import default_layer, mapped_layer
from schemas.models import LayerPath, PublishedModel

MAX_PROJECTIONS = 64
"""A job shows at most this many channels."""


class Projection(Facts):
    """One channel that is projected back to the input."""

    channel: int = Field(description="This is the index of the channel.")
    position: tuple[int, int] | None = Field(
        description="This is the position (y, x) of the neuron that is kept. It is null if the whole map is kept."
    )
    value: float = Field(description="This is the activation of the neuron, or the largest activation of the map.")


class DeconvnetFacts(Facts):
    """The layer, and what is kept of each channel."""

    layer: str = Field(description="This is the path of the layer.")
    projections: tuple[Projection, ...] = Field(description="These are the channels in the order of their tiles.")


class Deconvnet(PictureParams):
    """The pattern in the image behind a channel's activation.

    One map or one neuron is kept, everything else is set to 0, and the result is sent back through the network.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="deconvnet",
        title="Deconvnet",
        summary=(
            "This shows the pattern in the image to which a channel responds. One channel's strongest neuron, or its whole map, is kept, "
            "the rest of the layer is set to 0, and the result is sent back to the input. Several channels stand side by side."
        ),
        reference="Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, arXiv:1311.2901",
        formula=(
            "the activation of one channel sent back to the input by transposed convolutions and switches, where each ReLU lets only "
            "positive values through"
        ),
        cost="One forward and one backward pass for each channel.",
        how_to_read="It shows the pattern in this photo to which the channel responds, at the place where it responds most.",
        when_it_misleads=(
            "It shows one photo's pattern, and not all that the channel looks for: compare it with `filters` and `top_patches`. Networks "
            "without max pooling give blurred pictures."
        ),
        needs_image=True,
        lane="fast",
        artifacts=(
            ArtifactSpec(
                "picture", "image", "This is the pattern in colour on grey. Several channels are tiles with captions.", primary=True
            ),
            ArtifactSpec("overlay", "image", "This shows on the image where the pattern is."),
            ArtifactSpec(
                "attribution",
                "array",
                "This has one value for each value of the model's input: (H, W, C) float32, or (n, H, W, C) for n channels.",
            ),
            ArtifactSpec("map", "array", "This is the largest absolute value over C: (H, W) float32, or (n, H, W) for n channels."),
        ),
        facts=DeconvnetFacts,
        example={"layer": None, "channels": 1},
    )

    layer: LayerPath | None = Field(
        default=None, description="This is the path of a layer with a spatial map. If it is null, the model's default target layer is used."
    )
    channels: (
        Annotated[int, Field(ge=1, le=MAX_PROJECTIONS)]
        | Annotated[tuple[ChannelIndex, ...], Field(min_length=1, max_length=MAX_PROJECTIONS)]
    ) = Field(
        default=1,
        description="This is the number of channels to show, those that respond most to this image, or a list of channel indices.",
    )
    keep: Literal["neuron", "map"] = Field(
        default="neuron", description="This part of a channel is kept: one `neuron`, or the whole `map`."
    )
    position: tuple[ChannelIndex, ChannelIndex] | None = Field(
        default=None,
        description="The neuron at this position (y, x) of the layer is kept. If it is null, the channel's strongest neuron is kept.",
    )
    rule: Literal["deconv", "guided", "gradient"] = Field(
        default="deconv",
        description=(
            "A ReLU sends values back by this rule. `deconv` (Zeiler and Fergus) sends back positive values. `guided` sends back positive "
            "values only where the ReLU was open. `gradient` sends back all values where the ReLU was open. `deconv` uses nothing of the "
            "image except which pixels max-pooling took, so take `guided` for a model without max-pooling."
        ),
    )

    @model_validator(mode="after")
    def _one_neuron(self) -> Deconvnet:
        if self.position is not None and self.keep == "map":
            raise ValueError("position names a neuron, so leave it out if keep is `map`")
        return self

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Deconvnet:
        layer = mapped_layer(model, self.layer or default_layer(model))
        path, channels, grid = layer.path, layer.channels or 0, layer.token_grid
        size = layer.output_shape[:2] if grid is None else (grid.height, grid.width)
        if isinstance(self.channels, tuple):
            check_channels(layer, self.channels, "/params/channels")
        elif self.channels > channels:
            raise UnknownChannel(
                f"Layer '{path}' has {channels} channels, so {self.channels} of them cannot be shown.",
                pointer="/params/channels",
                allowed=f"1 to {channels}",
                got=str(self.channels),
            )
        if self.position is not None:
            check_position(path, self.position, size)
        return self.changed(layer=path)


def check_position(path: str, position: tuple[int, int], size: tuple[int | None, ...]) -> None:
    """Raise `InvalidParameters` if (y, x) lies outside a map of `size` (height, width). A side that is None is not checked."""
    if any(side is not None and at >= side for at, side in zip(position, size, strict=True)):
        allowed = " × ".join("any" if side is None else str(side) for side in size)
        raise InvalidParameters(
            f"Layer '{path}' has a map of {allowed}, so it has no position (y {position[0]}, x {position[1]}).",
            pointer="/params/position",
            allowed=allowed,
            got=f"{position[0]}, {position[1]}",
        )
