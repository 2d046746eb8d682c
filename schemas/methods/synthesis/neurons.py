"""A neuron of a layer as parameters name it, and the check that the layer has it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.errors import UnsuitableLayer
from schemas.methods.channels import ChannelIndex, check_channels
from schemas.models import Layer

Position = Annotated[int, Field(ge=0, lt=2**24)]
Neuron = tuple[Position, Position, ChannelIndex]
"""(y, x, k): row and column in the layer's map, and the channel."""


def check_neuron(layer: Layer, neuron: Neuron, pointer: str = "/params/neuron") -> None:
    """Check that the layer has a spatial map with the neuron's channel. Its position depends on the image, so the worker checks it.

    Raises:
        UnsuitableLayer: The layer has no spatial map.
        UnknownChannel: The layer has no such channel.
    """
    if len(layer.output_shape) != 3:
        raise UnsuitableLayer(
            f"A neuron is a position (y, x, k) of a spatial map, but layer '{layer.path}' has no spatial map: its output is "
            f"{layer.output_shape}.",
            pointer="/params/layer" if pointer == "/params/neuron" else pointer,
            got=layer.path,
        )
    check_channels(layer, neuron[2:], pointer)
