"""`top_patches`: what of many photos excites a channel most."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.errors import UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.channels import ChannelIndex, check_channels
from schemas.methods.facts import Facts
from schemas.methods.precision import PrecisionParams
from schemas.methods.several_images import ImagesParams
from schemas.methods.target_layer import default_layer
from schemas.models import LayerPath, PublishedModel, ReceptiveField

MOST_CHANNELS = 64


class Patch(Facts):
    """A part of a photo, and what the channel answers to it."""

    image: str = Field(description="The image's id.")
    number: int = Field(description="Its place in `images`, from 0.")
    position: tuple[int, int, int] = Field(description="(y, x, k) of the neuron in the layer.")
    value: float = Field(description="Its activation.")
    box: tuple[int, int, int, int] = Field(description="(top, left, height, width) in the photo's pixels, cut off at its border.")


class ChannelPatches(Facts):
    channel: int
    patches: tuple[Patch, ...] = Field(description="Strongest first; none where the channel answers the same everywhere.")


class TopPatchesFacts(Facts):
    layer: str
    receptive_field: ReceptiveField
    channels: tuple[ChannelPatches, ...]


class TopPatches(PrecisionParams, ImagesParams):
    """The parts of uploaded photos that excite a layer's channels most, cut at its receptive field."""

    card: ClassVar[MethodCard] = MethodCard(
        name="top_patches",
        title="Top patches",
        summary=(
            "What a channel looks for, in real photos: of up to 256 uploaded images the parts that excite it most, as large as its "
            "receptive field, strongest first, a row for each channel."
        ),
        reference="Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, arXiv:1311.2901, figure 2",
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec(
                "patches", "image", "A row for each channel: its patches, strongest first, with image number and value.", primary=True
            ),
            ArtifactSpec("values", "array", "(channels, patches) float32; 0 where there is none."),
            ArtifactSpec("positions", "array", "(channels, patches, 3) int32: image number, y, x in the layer; -1 where there is none."),
        ),
        facts=TopPatchesFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "layer": None, "channels": 2, "count": 3},
    )

    layer: LayerPath | None = Field(default=None, description="A layer that has a receptive field; null: the model's default layer.")
    channels: (
        Annotated[int, Field(ge=1, le=MOST_CHANNELS)] | Annotated[tuple[ChannelIndex, ...], Field(min_length=1, max_length=MOST_CHANNELS)]
    ) = Field(default=8, description="The n channels with the largest activation in these images, or a list of indices.")
    count: int = Field(default=9, ge=1, le=32, description="Patches of each channel.")
    per_image: int = Field(
        default=1, ge=1, le=16, description="Patches of one image in a channel's row; several lie at least half a patch apart."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> TopPatches:
        self.check_count(limits)
        path = self.layer or default_layer(model)
        layer = model.description.layer_at(path)
        if layer.receptive_field is None or layer.channels is None:
            near = [other.path for other in model.description.layers if other.receptive_field and other.cam_able][-5:]
            raise UnsuitableLayer(
                f"Layer '{path}' ({layer.type}, output {layer.output_shape}) has no receptive field: what one of its neurons sees has no "
                f"place in the photo. Layers that have one include: {', '.join(near) or 'none'}.",
                pointer="/params/layer",
                got=path,
                nearest=near,
            )
        if isinstance(self.channels, tuple):
            check_channels(layer, self.channels, "/params/channels")
            return self.changed(layer=path)
        return self.changed(layer=path, channels=min(self.channels, layer.channels))
