"""Which layers can be computed for an image of another size than the model declares."""

from __future__ import annotations

from schemas.models import Layer, ModelDescription


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
