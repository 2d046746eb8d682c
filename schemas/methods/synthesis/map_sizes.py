"""How large layers' maps are, and which can be computed for an image of another size than the model declares."""

from __future__ import annotations

from collections.abc import Collection

from schemas.models import Layer, LayerKind, ModelDescription


def layers_by_map(model: ModelDescription, kinds: Collection[LayerKind]) -> list[list[Layer]]:
    """The layers of these kinds that have a spatial map, in groups whose maps are of one size, the largest first; in each in order."""
    found: dict[tuple[float, ...], list[Layer]] = {}
    for layer in model.layers:
        if len(layer.output_shape) == 3 and layer.kind in kinds:
            found.setdefault(_coarseness(layer), []).append(layer)
    return [found[size] for size in sorted(found)]


def fixed_size(model: ModelDescription, path: str | None) -> tuple[int, int] | None:
    """The model's (height, width) where a flatten or reshape of a map, which ties the layers after it to that size, stands before
    the target; None where any size goes."""
    height, width = model.input.height, model.input.width
    if height is None or width is None:
        return None
    layers = {layer.path: layer for layer in model.layers}
    pending, seen = list(layers if path is None else layers[path].inbound), set[str]()
    while pending:
        name = pending.pop()
        if name in seen or name not in layers:
            continue
        seen.add(name)
        layer = layers[name]
        if layer.type in ("Flatten", "Reshape") and any(_is_map(layers[source]) for source in layer.inbound if source in layers):
            return height, width
        pending.extend(layer.inbound)
    return None


def _is_map(layer: Layer) -> bool:
    return len(layer.output_shape) == 3 and layer.output_shape[:2] != (1, 1)


def _coarseness(layer: Layer) -> tuple[float, ...]:
    """Larger for a smaller map: by the stride where it is known, else by the map's own sides."""
    if layer.receptive_field is not None:
        return tuple(map(float, layer.receptive_field.stride))
    return tuple(1.0 / (side or 1) for side in layer.output_shape[:2])
