"""Find out whether a target can be computed only for images of the model's own input size."""

from __future__ import annotations

from schemas.models import Layer, ModelDescription


def required_input_size(model: ModelDescription, path: str | None) -> tuple[int, int] | None:
    """Return the model's own (height, width) if the target can be computed for no other size, and None if any size will do.

    The size is fixed if a flatten or a reshape of a map comes before the target.

    Args:
        model: The model's description.
        path: The target layer. None stands for the class output.
    """
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
