"""Choose the layer that methods look at if the caller names none."""

from __future__ import annotations

import math

from schemas.models import REPEATING_KINDS, Layer, LayerKind

_LAYER_MAP_RANK = 3  # (h, w, K); a layer's output shape has no batch axis


def default_layer(layers: tuple[Layer, ...], *, classes: bool = True, coarsest: bool = False) -> str | None:
    """Return the path of the last layer with a map of more than one position, after its activation and before pooling.

    If there is no such layer, a layer with a map of one position is chosen, or None. The class score must be computed from the layer. If
    the model has no `classes`, any layer with a map will do, because then methods only read activations. With `coarsest`, only layers
    with the smallest map count: in a network for segmentation, its bottleneck sees most of the photo, and the last layer one pixel.

    In a model with a class token an attention layer must follow. After the last attention the score may come from that token alone, and no
    gradient reaches the other tokens.
    """
    attended = _read_by_attention(layers)
    candidates = [
        layer
        for layer in layers
        if (layer.cam_able if classes else has_map(layer))
        and layer.kind not in REPEATING_KINDS
        and (layer.token_grid is None or not layer.token_grid.before or layer.path in attended)
    ]
    with_positions = [layer for layer in candidates if any(size != 1 for size in layer.output_shape[:-1])]
    candidates = with_positions or candidates
    if coarsest and candidates:
        largest = max(map(_coarseness, candidates))
        candidates = [layer for layer in candidates if _coarseness(layer) == largest]
    return candidates[-1].path if candidates else None


def _coarseness(layer: Layer) -> float:
    """Return how many pixels of the input there are for each position of the layer's map, or the negated number of positions.

    The first is known for a layer of a model with an input of any size, and the second otherwise.
    """
    sizes = layer.output_shape[:-1]
    if None not in sizes:
        return -math.prod(size or 0 for size in sizes)
    return math.prod(map(abs, layer.receptive_field.stride)) if layer.receptive_field else 0


def has_map(layer: Layer) -> bool:
    """Return whether the layer has a map (h, w, K), or tokens that form one. An input has none."""
    return layer.kind is not LayerKind.INPUT and (len(layer.output_shape) == _LAYER_MAP_RANK or layer.token_grid is not None)


def _read_by_attention(layers: tuple[Layer, ...]) -> set[str]:
    """Return the layers from which an attention layer is computed."""
    found: set[str] = set()
    for layer in reversed(layers):
        if layer.kind is LayerKind.ATTENTION or layer.path in found:
            found.update(layer.inbound)
    return found
