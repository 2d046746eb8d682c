"""Group a model's layers by the size of their maps, from which the defaults of DeepDream and feature inversion are chosen."""

from __future__ import annotations

from collections.abc import Collection

from schemas.models import Layer, LayerKind, ModelDescription


def layers_by_map_size(model: ModelDescription, kinds: Collection[LayerKind]) -> list[list[Layer]]:
    """Return the layers of these kinds that have a spatial map, one group for each size of map.

    The group with the largest maps is first. The layers of a group are in the model's order.
    """
    found: dict[tuple[float, ...], list[Layer]] = {}
    for layer in model.layers:
        if len(layer.output_shape) == 3 and layer.kind in kinds:
            found.setdefault(_coarseness(layer), []).append(layer)
    return [found[size] for size in sorted(found)]


def _coarseness(layer: Layer) -> tuple[float, ...]:
    """Return a number for each axis that is larger for a smaller map: the stride if it is known, else 1 / side of the map."""
    if layer.receptive_field is not None:
        return tuple(float(abs(stride)) for stride in layer.receptive_field.stride)
    return tuple(1.0 / (side or 1) for side in layer.output_shape[:2])
