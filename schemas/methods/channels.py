"""The channels of a layer as parameters name them, and the check that the layer has them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.errors import UnknownChannel, UnsuitableLayer
from schemas.models import Layer, PublishedModel

ChannelIndex = Annotated[int, Field(ge=0)]


def layer_with_channels(model: PublishedModel, path: str, pointer: str = "/params/layer") -> Layer:
    """Return the layer at `path`.

    Raises:
        UnknownLayer: The model has no such layer.
        UnsuitableLayer: The layer's output has no channel axis.
    """
    layer = model.description.layer_at(path, pointer)
    if layer.channels is None:
        raise UnsuitableLayer(
            f"The output of layer '{path}' ({layer.type}) has no channel axis. Name a layer with channels.", pointer=pointer, got=path
        )
    return layer


def check_channels(layer: Layer, indices: tuple[int, ...], pointer: str, *, name: str = "channels") -> None:
    """Check that the layer has all these channels.

    Args:
        layer: The layer that is asked for them.
        indices: Channel indices, counted from 0.
        pointer: The JSON pointer of the parameter that names them.
        name: What the error's text calls them.

    Raises:
        UnknownChannel: The layer has no such channel.
    """
    total = layer.channels or 0
    if wrong := [index for index in indices if index >= total]:
        raise UnknownChannel(
            f"Layer '{layer.path}' has {total} {name}: indices are 0 to {total - 1}, but got {wrong[0]}.",
            pointer=pointer,
            allowed=f"0 to {total - 1}",
            got=str(wrong[0]),
        )
