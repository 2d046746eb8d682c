"""Find the layers before a target layer that have finer maps, for methods that go down to earlier layers by themselves."""

from __future__ import annotations

from schemas.models import Layer, LayerKind, ModelDescription

_KINDS = (LayerKind.CONV, LayerKind.ACTIVATION, LayerKind.NORMALIZATION, LayerKind.MERGE)
_MAP_RANK = 3  # (h, w, K)


def finer_layers(model: ModelDescription, path: str, count: int) -> tuple[str, ...]:
    """Return the paths of at most `count` layers that the layer at `path` is computed from, one for each larger size of map.

    Of each size it is the last layer that sees the explained image. The sizes grow, from one size to the next that the model has.
    """
    found: list[str] = []
    last, before = model.layer_at(path), False
    for layer in reversed(model.layers):
        if layer.path == path:
            before = True
        elif before and len(found) < count and _is_finer(layer, last) and _is_on_the_way(model, layer, path):
            found.append(layer.path)
            last = layer
    return tuple(found)


def _is_on_the_way(model: ModelDescription, layer: Layer, path: str) -> bool:
    return layer.kind in _KINDS and model.is_seen_from_input(layer) and model.is_computed_from(path, layer.path)


def _is_finer(layer: Layer, other: Layer) -> bool:
    """Return whether the positions of a layer's map lie closer together than those of the other one.

    Strides are compared if both are known, because a map also shrinks a little at each convolution without padding. Otherwise the sides
    of the maps are compared; if these are free, the answer is no.
    """
    if len(layer.output_shape) != _MAP_RANK or len(other.output_shape) != _MAP_RANK:
        return False
    if layer.receptive_field is not None and other.receptive_field is not None:
        pairs = [(abs(b), abs(a)) for a, b in zip(layer.receptive_field.stride, other.receptive_field.stride, strict=True)]
    else:
        pairs = [(own or 0, that or 0) for own, that in zip(layer.output_shape[:2], other.output_shape[:2], strict=True)]
        if any(0 in pair for pair in pairs):
            return False
    return all(own >= that for own, that in pairs) and any(own > that for own, that in pairs)
