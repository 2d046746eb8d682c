"""The parameters that say what `filters` excites, and what they mean for a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.errors import UnknownChannel
from schemas.methods.base import MethodParams
from schemas.methods.channels import ChannelIndex, check_channels, layer_with_channels
from schemas.methods.synthesis.neurons import Neuron, check_neuron
from schemas.methods.synthesis.weighted_objective import Weight, WeightedObjective
from schemas.methods.target_class import ClassSelector
from schemas.methods.target_layer import default_layer
from schemas.models import Layer, LayerPath, PublishedModel


class Diversity(BaseModel):
    """Several different images of one channel. Each image loses by how similar its activations' Gram matrix is to the others'."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(default=4, ge=2, le=16, description="This is the number of images.")
    weight: float = Field(
        default=20.0,
        gt=0,
        allow_inf_nan=False,
        description="This is the weight of the mean cosine similarity to the other images, in units of the activation.",
    )


@dataclass(frozen=True)
class ResolvedObjective:
    """The meaning of the objective's parameters for one model.

    Attributes:
        changes: The parameters that the model decides, by name.
        layers: The paths of the target layers. None stands for the class output.
        images: The number of images.
    """

    changes: dict[str, Any]
    layers: tuple[str | None, ...]
    images: int


class ObjectiveParams(MethodParams):
    """Parameters that say what is excited: channels, a neuron, the whole layer, a direction, a sum, or classes. Only one may be given."""

    layer: LayerPath | None = Field(
        default=None,
        description="This is the path of the target layer. If it is null, the model's default target layer is used. Leave it out for "
        "`class_index` and `objectives`.",
    )
    channels: int | Annotated[tuple[ChannelIndex, ...], Field(min_length=1)] | Literal["all"] | None = Field(
        default=None,
        description="One image is made for each channel: for the first n channels, for a list of indices, or for `all`. If it is null and "
        "nothing else is given, it is as many channels as the preset shows.",
    )
    neuron: Neuron | None = Field(
        default=None,
        description="One image is made for one neuron: position (y, x, k) of the layer's map for an image of `size`. If it is null, no "
        "neuron is excited.",
    )
    whole_layer: bool = Field(
        default=False, description="If it is true, one image is made that excites all channels: their mean of squares, as in DeepDream."
    )
    direction: Annotated[tuple[tuple[ChannelIndex, Weight], ...], Field(min_length=1, max_length=4096)] | None = Field(
        default=None,
        description="One image is made for a direction in the space of the layer's channels: pairs (channel, weight). If it is null, no "
        "direction is excited.",
    )
    objectives: Annotated[tuple[WeightedObjective, ...], Field(min_length=1, max_length=64)] | None = Field(
        default=None,
        description="One image is made for the weighted sum of channels, neurons and classes of any layers. If it is null, no sum is "
        "excited.",
    )
    diversity: Diversity | None = Field(
        default=None,
        description="Several different images are made of one channel; `channels` must then be a list of one. If it is null, each channel "
        "has one image.",
    )
    class_index: ClassSelector | Annotated[tuple[ClassSelector, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="One image is made for each class, which raises its logit: an index, a label, or a list of them. If it is null, no "
        "class is excited.",
    )

    @model_validator(mode="after")
    def _one_objective(self) -> ObjectiveParams:
        given = [name for name in ("channels", "neuron", "direction", "objectives", "class_index") if getattr(self, name) is not None]
        given += ["whole_layer"] if self.whole_layer else []
        if len(given) > 1:
            names = "channels, neuron, whole_layer, direction, objectives and class_index"
            raise ValueError(f"give one of {names}, but got {' and '.join(given)}")
        if self.class_index is not None and self.layer is not None:
            raise ValueError("class_index is about the model's output, so leave layer out")
        if self.objectives is not None and self.layer is not None:
            raise ValueError("each of objectives has its own layer, so leave layer out")
        if self.direction is not None and len({channel for channel, _ in self.direction}) < len(self.direction):
            raise ValueError("direction names a channel more than once")
        if self.diversity is not None and not (isinstance(self.channels, tuple) and len(self.channels) == 1):
            raise ValueError("diversity is about one channel, so give channels as a list of one")
        return self

    def class_selectors(self) -> tuple[int | str, ...]:
        """Return the classes asked for. The tuple is empty if the objective is not a class."""
        if self.class_index is None:
            return ()
        return self.class_index if isinstance(self.class_index, tuple) else (self.class_index,)

    def resolve_objective(self, model: PublishedModel, default_count: int) -> ResolvedObjective:
        """Return what the parameters mean for `model`. If they name nothing, the first `default_count` channels are meant.

        Raises:
            UnknownLayer: The model has no such layer.
            UnsuitableLayer: The layer has no channels, or no map for the neuron.
            UnknownChannel: The layer has no such channel.
            UnknownClass: The model has no such class.
        """
        if self.objectives is not None:
            resolved = tuple(objective.resolve(model) for objective in self.objectives)
            return ResolvedObjective({"objectives": resolved}, tuple(dict.fromkeys(each.layer for each in resolved)), 1)
        if self.class_index is not None:
            indices = tuple(dict.fromkeys(model.class_index_of(selector) for selector in self.class_selectors()))
            changes = {"class_index": indices if isinstance(self.class_index, tuple) else indices[0]}
            return ResolvedObjective(changes, (None,), len(indices))
        layer = layer_with_channels(model, self.layer or default_layer(model))
        path = layer.path
        if self.neuron is not None:
            check_neuron(layer, self.neuron)
        elif self.direction is not None:
            check_channels(layer, tuple(channel for channel, _ in self.direction), "/params/direction")
        elif not self.whole_layer:
            channels = _channel_list(self.channels, layer, default_count)
            return ResolvedObjective(
                {"layer": path, "channels": channels}, (path,), self.diversity.count if self.diversity else len(channels)
            )
        return ResolvedObjective({"layer": path}, (path,), 1)


def _channel_list(wanted: int | tuple[int, ...] | Literal["all"] | None, layer: Layer, default_count: int) -> tuple[int, ...]:
    total = layer.channels or 0
    if isinstance(wanted, tuple):
        check_channels(layer, wanted, "/params/channels")
        return tuple(dict.fromkeys(wanted))
    if wanted == "all":
        return tuple(range(total))
    if wanted is None:
        return tuple(range(min(default_count, total)))
    if not 1 <= wanted <= total:
        raise UnknownChannel(
            f"Layer '{layer.path}' has {total} channels, so a number of channels is 1 to {total}, but got {wanted}. "
            f"For channel {wanted} alone, give the list [{wanted}].",
            pointer="/params/channels",
            allowed=f"1 to {total}",
            got=str(wanted),
        )
    return tuple(range(wanted))
