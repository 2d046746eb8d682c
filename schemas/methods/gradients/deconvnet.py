"""`deconvnet`: what in the photo a channel, or one neuron, responds to."""

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

MOST = 64


class Projection(Facts):
    """One channel brought back to the input."""

    channel: int
    position: tuple[int, int] | None = Field(description="(y, x) of the neuron kept; null where the whole map was.")
    value: float = Field(description="Its activation; of a whole map the largest.")


class DeconvnetFacts(Facts):
    layer: str
    projections: tuple[Projection, ...]


class Deconvnet(PictureParams):
    """The pattern in the photo behind a channel's activation: one map or neuron kept, all else 0, sent back through the network."""

    card: ClassVar[MethodCard] = MethodCard(
        name="deconvnet",
        title="Deconvnet",
        summary=(
            "What in the photo a channel responds to: of a layer one channel's strongest neuron (or its whole map) is kept, the rest "
            "set to 0, and sent back to the photo; several channels side by side."
        ),
        reference="Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, arXiv:1311.2901",
        needs_image=True,
        lane="fast",
        artifacts=(
            ArtifactSpec(
                "picture", "image", "The pattern in colour, grey where there is none; several channels: a tile each.", primary=True
            ),
            ArtifactSpec("overlay", "image", "Where in the photo it is."),
            ArtifactSpec("attribution", "array", "(H, W, C) float32 at the model's input; (n, H, W, C) for n channels."),
            ArtifactSpec("map", "array", "Largest absolute value over C: (H, W) float32; (n, H, W) for n channels."),
        ),
        facts=DeconvnetFacts,
        example={"layer": None, "channels": 1},
    )

    layer: LayerPath | None = Field(default=None, description="Layer with a spatial map; null: the model's default.")
    channels: Annotated[int, Field(ge=1, le=MOST)] | Annotated[tuple[ChannelIndex, ...], Field(min_length=1, max_length=MOST)] = Field(
        default=1, description="The n channels that respond most to this photo, or a list of indices."
    )
    keep: Literal["neuron", "map"] = Field(default="neuron", description="What of a channel is kept: its strongest neuron, or all of it.")
    position: tuple[ChannelIndex, ChannelIndex] | None = Field(
        default=None, description="(y, x) of the neuron to keep; null: where the channel is strongest."
    )
    rule: Literal["deconv", "guided", "gradient"] = Field(
        default="deconv",
        description=(
            "What a ReLU hands back: `deconv` (as Zeiler and Fergus) what is positive; `guided` of that only what came through it; "
            "`gradient` its own gradient, whatever its sign. Of the photo `deconv` knows only which pixels max-pooling took: for a "
            "model without such layers take `guided`."
        ),
    )

    @model_validator(mode="after")
    def _one_neuron(self) -> Deconvnet:
        if self.position is not None and self.keep == "map":
            raise ValueError("position is of a neuron: leave it out with keep `map`")
        return self

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Deconvnet:
        layer = mapped_layer(model, self.layer or default_layer(model))
        path, channels, grid = layer.path, layer.channels or 0, layer.token_grid
        size = layer.output_shape[:2] if grid is None else (grid.height, grid.width)
        if isinstance(self.channels, tuple):
            check_channels(layer, self.channels, "/params/channels")
        elif self.channels > channels:
            raise UnknownChannel(
                f"Layer '{path}' has {channels} channels, got {self.channels} to show.",
                pointer="/params/channels",
                allowed=f"1 to {channels}",
                got=str(self.channels),
            )
        if self.position is not None:
            check_position(path, self.position, size)
        return self.changed(layer=path)


def check_position(path: str, position: tuple[int, int], size: tuple[int | None, ...]) -> None:
    """Raises `InvalidParameters` where (y, x) is not on a map of `size` (h, w), as far as that is known."""
    if any(side is not None and at >= side for at, side in zip(position, size, strict=True)):
        allowed = " × ".join("any" if side is None else str(side) for side in size)
        raise InvalidParameters(
            f"Layer '{path}' has a map of {allowed}: there is no position (y {position[0]}, x {position[1]}).",
            pointer="/params/position",
            allowed=allowed,
            got=f"{position[0]}, {position[1]}",
        )
