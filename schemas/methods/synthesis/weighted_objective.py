"""One part of a weighted sum of objectives, which `filters` can excite."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.methods.channels import ChannelIndex, check_channels, layer_with_channels
from schemas.methods.synthesis.neurons import Neuron, check_neuron
from schemas.methods.target_class import ClassSelector
from schemas.methods.target_layer import default_layer
from schemas.models import LayerPath, PublishedModel

Weight = Annotated[float, Field(allow_inf_nan=False)]


class WeightedObjective(BaseModel):
    """One part of a sum: the mean of a channel's map, a neuron or a class logit, times a weight."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: LayerPath | None = Field(
        default=None,
        description="This is the path of the channel's or neuron's layer. If it is null, the model's default target layer is used.",
    )
    channel: ChannelIndex | None = Field(
        default=None, description="This is the index of the channel, counted from 0. If it is null, the part is not a channel."
    )
    neuron: Neuron | None = Field(
        default=None,
        description="This is the position (y, x, k) of the neuron in the layer's map for an image of `size`. If it is null, the part is "
        "not a neuron.",
    )
    class_index: ClassSelector | None = Field(
        default=None, description="This is the index or the label of the class. If it is null, the part is not a class."
    )
    weight: Weight = Field(default=1.0, description="This is the part's factor in the sum. A part with a weight below 0 is avoided.")

    @model_validator(mode="after")
    def _one_objective(self) -> WeightedObjective:
        given = [name for name in ("channel", "neuron", "class_index") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of channel, neuron and class_index, but got {' and '.join(given) or 'none'}")
        if self.class_index is not None and self.layer is not None:
            raise ValueError("class_index is about the model's output, so leave layer out")
        return self

    def resolve(self, model: PublishedModel) -> WeightedObjective:
        """Return this part with its layer filled in and its class as an index.

        Raises:
            UnknownLayer: The model has no such layer.
            UnsuitableLayer: The layer has no channels, or no map for the neuron.
            UnknownChannel: The layer has no such channel.
            UnknownClass: The model has no such class.
        """
        pointer = "/params/objectives"
        if self.class_index is not None:
            return self.model_copy(update={"class_index": model.class_index_of(self.class_index, pointer)})
        layer = layer_with_channels(model, self.layer or default_layer(model), pointer)
        if self.neuron is not None:
            check_neuron(layer, self.neuron, pointer)
        elif self.channel is not None:
            check_channels(layer, (self.channel,), pointer)
        return self.model_copy(update={"layer": layer.path})
