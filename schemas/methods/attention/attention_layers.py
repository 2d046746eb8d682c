"""The attention layers of a model whose tokens are the positions of a map."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import UnsuitableLayer
from schemas.models import Layer, LayerKind, PublishedModel

_MAP_RANK = 3  # (h, w, K)
_NOT_SEEN = ("Attention", "AdditiveAttention", "DotProductAttention")
SEEN_IN = "Attention can be seen in the layers MultiHeadAttention and GroupQueryAttention of Keras"


def attention_layer(model: PublishedModel, path: str | None, pointer: str = "/params/layer") -> Layer:
    """Return the attention layer at `path`; None stands for the last one before the first output.

    Raises:
        UnknownLayer: the model has no such layer.
        UnsuitableLayer: the layer's attention cannot be seen, or its tokens form no map; or the model has no such layer.
    """
    if path is None:
        return _all(model, None, pointer)[-1]
    layer = model.description.layer_at(path, pointer)
    if (why := _why_not(layer)) is not None:
        near = [each.path for each in model.description.layers if _why_not(each) is None][-5:]
        raise UnsuitableLayer(
            f"Layer '{layer.path}' ({layer.type}, output {layer.output_shape}) {why}. Layers whose attention can be seen include: "
            f"{', '.join(near) or 'none'}.",
            pointer=pointer,
            got=layer.path,
            nearest=near,
        )
    return layer


def attention_stack(model: PublishedModel, paths: Sequence[str] | None, output: str | None) -> tuple[Layer, ...]:
    """Return the attention layers at `paths` in the order of the model; None stands for all between the photo and an output.

    Raises:
        UnknownLayer: the model has no such layer.
        UnsuitableLayer: there is no such layer, one of them cannot be followed, or their tokens form different maps.
    """
    if paths is None:
        found = _all(model, output, "/params/layers")
    else:
        wanted = {attention_layer(model, path, "/params/layers").path for path in paths}
        found = tuple(layer for layer in model.description.layers if layer.path in wanted)
    for layer in found[1:]:
        if (layer.token_grid, layer.output_shape[:-1]) != (found[0].token_grid, found[0].output_shape[:-1]):
            raise UnsuitableLayer(
                f"The attention layers '{found[0].path}' and '{layer.path}' have different tokens, so that attention cannot be followed "
                "from one to the other. Name layers with the same tokens in `layers`.",
                pointer="/params/layers",
                got=layer.path,
            )
    return found


def has_class_token(layer: Layer) -> bool:
    """Return whether a token stands before those of the layer's map. The first one is then taken for the class token."""
    return layer.token_grid is not None and layer.token_grid.before > 0


def _all(model: PublishedModel, output: str | None, pointer: str) -> tuple[Layer, ...]:
    description = model.description
    end = description.head_at(output).layer
    found = tuple(
        layer
        for layer in description.layers
        if layer.kind is LayerKind.ATTENTION
        and description.is_seen_from_input(layer)
        and (end is None or description.is_computed_from(end, layer.path))
    )
    if not found:
        raise UnsuitableLayer(
            f"Model '{description.name}' has no attention layer. {SEEN_IN}. For a network of convolutions, use a method such as grad_cam.",
            pointer=pointer,
        )
    for layer in found:
        if (why := _why_not(layer)) is not None:
            raise UnsuitableLayer(
                f"Layer '{layer.path}' ({layer.type}, output {layer.output_shape}) {why}.", pointer=pointer, got=layer.path
            )
    return found


def _why_not(layer: Layer) -> str | None:
    """Return why a layer's attention cannot be drawn on the photo, or None if it can."""
    if layer.kind is not LayerKind.ATTENTION:
        return "is no attention layer"
    if layer.type in _NOT_SEEN:
        return f"does not show its attention. {SEEN_IN}"
    if layer.token_grid is None and len(layer.output_shape) != _MAP_RANK:
        return "attends among tokens that are not the positions of one map, for example within windows"
    return None
