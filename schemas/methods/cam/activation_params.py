"""The parameters of class activation maps that look at a layer's activations alone: they explain no class, and need none."""

from __future__ import annotations

import math
from typing import Self

from schemas.limits import MethodLimits
from schemas.methods.cam.base import CamParams
from schemas.methods.frames import FramesParams
from schemas.methods.target_layer import default_layer, mapped_layer
from schemas.models import REPEATING_KINDS, Layer, PublishedModel

MAP_RANK = 3  # (h, w, K)


class ActivationCamParams(FramesParams, CamParams):
    """Parameters of a class activation map that is computed from a layer's activations alone, of a model with or without classes."""

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        head = model.description.head_at(self.output)
        if head.classes is not None:
            return super().resolve(model, limits)
        return self.with_layers(lambda path: mapped_layer(model, path or _layer_without_classes(model, self.output)).path)


def _layer_without_classes(model: PublishedModel, output: str | None) -> str:
    """Return the path of the layer that is looked at if the output has no classes and the request names no layer.

    A network without a head ends in its features, so its last map is the one. The last map of a segmentation shows each pixel its own
    class, so the last one of its coarsest maps is taken.
    """
    description, head = model.description, model.description.head_at(output)
    before = description.layer_for_targets(output) if head.dense_classes is not None else None
    own = next((layer for layer in description.layers if layer.path == head.layer), None)
    if own is None or head.head != "none" or own.kind in REPEATING_KINDS or len(own.output_shape) != MAP_RANK:
        return before or default_layer(model, output)
    if before is None:
        return own.path
    set_by_operator = output in (None, *description.outputs[:1]) and description.default_layer == before
    return before if set_by_operator or _is_finer(own, description.layer_at(before)) else own.path


def _is_finer(layer: Layer, other: Layer) -> bool:
    """Return whether the map of `layer` has more positions than that of `other`. If this is not known, it counts as finer."""
    sizes = [each.output_shape[:-1] for each in (layer, other)]
    if all(None not in own for own in sizes):
        first, second = (math.prod(size or 0 for size in own) for own in sizes)
        return first > second
    fields = (layer.receptive_field, other.receptive_field)
    if fields[0] is None or fields[1] is None:
        return True
    return math.prod(map(abs, fields[0].stride)) < math.prod(map(abs, fields[1].stride))
