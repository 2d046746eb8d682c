"""The parameters and facts of `top_patches`: the parts of many photos that excite a channel most."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.errors import UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.channels import ChannelIndex, check_channels
from schemas.methods.facts import Facts
from schemas.methods.photo_names import PhotoNamesParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_layer import default_layer
from schemas.models import LayerPath, PublishedModel, ReceptiveField

MOST_CHANNELS = 64


class Patch(Facts):
    """A part of a photo, and the channel's activation for it."""

    image: str = Field(description="This is the id of the image.")
    number: int = Field(description="This is the image's place in `images`, counted from 0.")
    position: tuple[int, int, int] = Field(description="This is the position (y, x, k) of the neuron in the layer's map.")
    value: float = Field(description="This is the activation of the neuron.")
    box: tuple[int, int, int, int] = Field(
        description="This is the part that the neuron sees, (top, left, height, width) in pixels of the photo, cut off at its border."
    )


class ChannelPatches(Facts):
    channel: int = Field(description="This is the index of the channel, counted from 0.")
    patches: tuple[Patch, ...] = Field(
        description="These are the patches, the strongest first. There are none if the channel's activation is the same everywhere."
    )


class TopPatchesFacts(Facts):
    layer: str = Field(description="This is the path of the target layer.")
    receptive_field: ReceptiveField = Field(description="This is the part of the input that a neuron of the layer sees.")
    channels: tuple[ChannelPatches, ...] = Field(description="These are the channels in the order of the sheet's rows.")


class TopPatches(PrecisionParams, PhotoNamesParams):
    """The parts of uploaded photos that excite a layer's channels most, cut out at its receptive field."""

    card: ClassVar[MethodCard] = MethodCard(
        name="top_patches",
        title="Top patches",
        summary=(
            "This method shows what a channel looks for in real photos: the parts of up to 256 uploaded images that excite it most, as "
            "large as its receptive field. Each channel has a row, with the strongest part first."
        ),
        reference="Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, arXiv:1311.2901, figure 2",
        formula="the parts of the photos where the channel's activation is largest, as large as the channel's receptive field",
        cost="One forward pass for each photo up to the layer.",
        how_to_read="A row is one channel: ask what its patches have in common. This is what the channel looks for in photos like yours.",
        when_it_misleads=(
            "It can only find what your photos hold. Patches of deep layers are large, and the channel may look at a small part of them: "
            "`deconvnet` and `occlusion` show which."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec(
                "patches",
                "image",
                "This shows a row for each channel: its patches with image number and value, the strongest first.",
                primary=True,
            ),
            ArtifactSpec("values", "array", "These are the activations, (channels, patches) float32, and 0 for a missing patch."),
            ArtifactSpec(
                "positions",
                "array",
                "These are image number, y and x in the layer's map, (channels, patches, 3) int32, and -1 for a missing patch.",
            ),
        ),
        facts=TopPatchesFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "layer": None, "channels": 2, "count": 3},
    )

    layer: LayerPath | None = Field(
        default=None,
        description="This is the path of a layer that has a receptive field. If it is null, the model's default target layer is used.",
    )
    channels: (
        Annotated[int, Field(ge=1, le=MOST_CHANNELS)] | Annotated[tuple[ChannelIndex, ...], Field(min_length=1, max_length=MOST_CHANNELS)]
    ) = Field(
        default=8, description="This is a number n for the n channels with the largest activation in these images, or a list of indices."
    )
    count: int = Field(default=9, ge=1, le=32, description="This is the number of patches of each channel.")
    annotate: bool = Field(
        default=True,
        description=(
            "If it is true, the picture names the method, the model and each patch's image, and a patch at the border of a photo is a "
            "square with light grey beyond the photo. If it is false, it shows the patches with numbers."
        ),
    )
    per_image: int = Field(
        default=1,
        ge=1,
        le=16,
        description="This is how many patches of a channel one image may give. They lie at least half a patch apart.",
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> TopPatches:
        self.check_count(limits)
        path = self.layer or default_layer(model)
        layer = model.description.layer_at(path)
        if layer.receptive_field is None or layer.channels is None:
            near = [other.path for other in model.description.layers if other.receptive_field and other.cam_able][-5:]
            raise UnsuitableLayer(
                f"Layer '{path}' ({layer.type}, output {layer.output_shape}) has no receptive field: what one of its neurons sees is "
                f"not a part of the photo. Layers that have one include: {', '.join(near) or 'none'}.",
                pointer="/params/layer",
                got=path,
                nearest=near,
            )
        if isinstance(self.channels, tuple):
            check_channels(layer, self.channels, "/params/channels")
            return self.changed(layer=layer.path)
        return self.changed(layer=layer.path, channels=min(self.channels, layer.channels))
