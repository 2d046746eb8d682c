"""What `filters` can be told to excite, and whether a model has it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.errors import UnknownChannel, UnsuitableLayer
from schemas.methods.base import MethodParams
from schemas.methods.target_class import ClassSelector
from schemas.methods.target_layer import default_layer
from schemas.models import Layer, LayerPath, PublishedModel

ChannelIndex = Annotated[int, Field(ge=0)]
Position = Annotated[int, Field(ge=0, lt=2**24)]
Weight = Annotated[float, Field(allow_inf_nan=False)]
Neuron = tuple[Position, Position, ChannelIndex]


class WeightedObjective(BaseModel):
    """One part of a sum: a channel's mean, a neuron or a class logit, times its weight."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: LayerPath | None = Field(default=None, description="Of the channel or neuron; null: the model's default.")
    channel: ChannelIndex | None = None
    neuron: Neuron | None = Field(default=None, description="(y, x, k) of the layer's map, as it is for an image of `size`.")
    class_index: ClassSelector | None = None
    weight: Weight = Field(default=1.0, description="Below 0: to be avoided.")

    @model_validator(mode="after")
    def _one_objective(self) -> WeightedObjective:
        given = [name for name in ("channel", "neuron", "class_index") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of channel, neuron, class_index; got {' and '.join(given) or 'none'}")
        if self.class_index is not None and self.layer is not None:
            raise ValueError("class_index is about the model's output: leave layer out")
        return self

    def resolve(self, model: PublishedModel) -> WeightedObjective:
        pointer = "/params/objectives"
        if self.class_index is not None:
            return self.model_copy(update={"class_index": model.class_index_of(self.class_index, pointer)})
        path = self.layer or default_layer(model)
        layer = layer_with_channels(model, path, pointer)
        if self.neuron is not None:
            check_neuron(layer, self.neuron, pointer)
        elif self.channel is not None:
            check_channels(layer, (self.channel,), pointer)
        return self.model_copy(update={"layer": path})


class Diversity(BaseModel):
    """Several images of one channel that differ: each loses by how alike its activations' Gram matrix is to the others'."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(default=4, ge=2, le=16, description="Images.")
    weight: float = Field(
        default=20.0, gt=0, allow_inf_nan=False, description="Of the mean cosine to the others, in units of the activation."
    )


class ObjectiveParams(MethodParams):
    """Parameters that say what is to be excited: one of channels, a neuron, the whole layer, a direction, a sum, classes."""

    layer: LayerPath | None = Field(default=None, description="Target layer; null: the model's default (not used for classes).")
    channels: int | Annotated[tuple[ChannelIndex, ...], Field(min_length=1)] | Literal["all"] | None = Field(
        default=None, description="One image a channel: the first n, a list of indices, or `all`; null: as many as the preset shows."
    )
    neuron: Neuron | None = Field(
        default=None, description="Instead: one position (y, x, k) of the layer's map, as it is for an image of `size`."
    )
    whole_layer: bool = Field(default=False, description="Instead: one image that excites all channels (mean of squares, as DeepDream).")
    direction: Annotated[tuple[tuple[ChannelIndex, Weight], ...], Field(min_length=1, max_length=4096)] | None = Field(
        default=None, description="Instead: one image for a direction in the layer's channels: pairs (channel, weight)."
    )
    objectives: Annotated[tuple[WeightedObjective, ...], Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Instead: one image for the weighted sum of several channels, neurons and classes, of any layers."
    )
    diversity: Diversity | None = Field(default=None, description="Of one channel (`channels` a list of one) several different images.")
    class_index: ClassSelector | Annotated[tuple[ClassSelector, ...], Field(min_length=1)] | None = Field(
        default=None, description="Instead: one image a class, that raises its logit; index, label, or a list."
    )

    @model_validator(mode="after")
    def _one_objective(self) -> ObjectiveParams:
        given = [name for name in ("channels", "neuron", "direction", "objectives", "class_index") if getattr(self, name) is not None]
        given += ["whole_layer"] if self.whole_layer else []
        if len(given) > 1:
            raise ValueError(f"give one of channels, neuron, whole_layer, direction, objectives, class_index; got {' and '.join(given)}")
        if self.class_index is not None and self.layer is not None:
            raise ValueError("class_index is about the model's output: leave layer out")
        if self.objectives is not None and self.layer is not None:
            raise ValueError("each of objectives has its own layer: leave layer out")
        if self.direction is not None and len({channel for channel, _ in self.direction}) < len(self.direction):
            raise ValueError("direction names a channel more than once")
        if self.diversity is not None and not (isinstance(self.channels, tuple) and len(self.channels) == 1):
            raise ValueError("diversity is of one channel: give channels as a list of one")
        return self

    def class_selectors(self) -> tuple[int | str, ...]:
        """The classes asked for; empty where the objective is not a class."""
        if self.class_index is None:
            return ()
        return self.class_index if isinstance(self.class_index, tuple) else (self.class_index,)

    def by_model(self, model: PublishedModel, default: int) -> tuple[dict[str, Any], tuple[str | None, ...], int]:
        """What only the model decides; the paths of the targets, None for the class output; the number of images. `default`: channels,
        where none are named.

        Raises:
            UnknownLayer, UnknownChannel, UnknownClass, UnsuitableLayer
        """
        if self.objectives is not None:
            resolved = tuple(objective.resolve(model) for objective in self.objectives)
            return {"objectives": resolved}, tuple(dict.fromkeys(each.layer for each in resolved)), 1
        if self.class_index is not None:
            indices = tuple(dict.fromkeys(model.class_index_of(selector) for selector in self.class_selectors()))
            return {"class_index": indices if isinstance(self.class_index, tuple) else indices[0]}, (None,), len(indices)
        path = self.layer or default_layer(model)
        layer = layer_with_channels(model, path)
        if self.neuron is not None:
            check_neuron(layer, self.neuron)
        elif self.direction is not None:
            check_channels(layer, tuple(channel for channel, _ in self.direction), "/params/direction")
        elif not self.whole_layer:
            channels = channel_list(self.channels, layer, default)
            return {"layer": path, "channels": channels}, (path,), self.diversity.count if self.diversity else len(channels)
        return {"layer": path}, (path,), 1


def layer_with_channels(model: PublishedModel, path: str, pointer: str = "/params/layer") -> Layer:
    """Raises `UnknownLayer`, or `UnsuitableLayer` for one without a channel axis."""
    layer = model.description.layer_at(path, pointer)
    if layer.channels is None:
        raise UnsuitableLayer(f"Layer '{path}' ({layer.type}) has no channel axis to excite.", pointer=pointer, got=path)
    return layer


def check_neuron(layer: Layer, neuron: Neuron, pointer: str = "/params/neuron") -> None:
    """Raises `UnsuitableLayer` where the layer has no spatial map, `UnknownChannel` where it has no such channel."""
    if len(layer.output_shape) != 3:
        raise UnsuitableLayer(
            f"neuron is (y, x, k) of a spatial map; layer '{layer.path}' has output {layer.output_shape}.",
            pointer="/params/layer" if pointer == "/params/neuron" else pointer,
            got=layer.path,
        )
    check_channels(layer, neuron[2:], pointer)


def channel_list(wanted: int | tuple[int, ...] | Literal["all"] | None, layer: Layer, default: int) -> tuple[int, ...]:
    total = layer.channels or 0
    if isinstance(wanted, tuple):
        check_channels(layer, wanted, "/params/channels")
        return tuple(dict.fromkeys(wanted))
    if wanted == "all":
        return tuple(range(total))
    if wanted is None:
        return tuple(range(min(default, total)))
    if not 1 <= wanted <= total:
        raise UnknownChannel(
            f"Layer '{layer.path}' has {total} channels: the first n must be 1 to {total}, got {wanted}. For one channel: [{wanted}].",
            pointer="/params/channels",
            allowed=f"1 to {total}",
            got=str(wanted),
        )
    return tuple(range(wanted))


def check_channels(layer: Layer, indices: tuple[int, ...], pointer: str) -> None:
    """Raises `UnknownChannel` where the layer has no such channel."""
    total = layer.channels or 0
    if wrong := [index for index in indices if index >= total]:
        raise UnknownChannel(
            f"Layer '{layer.path}' has {total} channels: indices are 0 to {total - 1}, got {wrong[0]}.",
            pointer=pointer,
            allowed=f"0 to {total - 1}",
            got=str(wrong[0]),
        )
