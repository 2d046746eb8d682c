"""Small models for the tests of filter synthesis, and the parameters resolved for them."""

from __future__ import annotations

from typing import Any

from schemas.limits import MethodLimits
from schemas.methods.synthesis.filters import Filters
from schemas.models import InputSpec, Layer, LayerKind, ModelDescription, Preprocessing, PublishedModel

LIMITS = MethodLimits()
# Each row is a layer: path, type, output shape, inbound.
LayerRows = list[tuple[str, str, tuple[int | None, ...], tuple[str, ...]]]
VGG: LayerRows = [
    ("photo", "InputLayer", (224, 224, 3), ()),
    ("conv", "Conv2D", (224, 224, 70), ("photo",)),
    ("flatten", "Flatten", (3512320,), ("conv",)),
    ("fc", "Dense", (12,), ("flatten",)),
    ("predictions", "Dense", (5,), ("fc",)),
]
POOLED: LayerRows = [
    ("photo", "InputLayer", (224, 224, 3), ()),
    ("conv", "Conv2D", (224, 224, 70), ("photo",)),
    ("gap", "GlobalAveragePooling2D", (1, 1, 70), ("conv",)),
    ("reshape", "Reshape", (70,), ("gap",)),
    ("predictions", "Dense", (5,), ("reshape",)),
]


def model(rows: LayerRows, size: tuple[int | None, int | None] = (224, 224)) -> PublishedModel:
    layers = tuple(
        Layer(
            path=path,
            type=kind,
            kind=LayerKind.OTHER,
            output_shape=shape,
            parameters=0,
            channels=shape[-1],
            receptive_field=None,
            inbound=inbound,
            cam_able=len(shape) == 3,
        )
        for path, kind, shape, inbound in rows
    )
    description = ModelDescription(
        name="tiny",
        source="file",
        input=InputSpec(name="photo", height=size[0], width=size[1], channels=3),
        preprocessing=Preprocessing(),
        classes=5,
        head="softmax",
        outputs=("predictions",),
        fingerprint="0" * 64,
        parameters=0,
        default_layer="conv",
        layers=layers,
    )
    return PublishedModel(description=description, labels=("a", "b", "c", "d", "e"), digest="0")


def resolve(rows: LayerRows = POOLED, input_size: tuple[int | None, int | None] = (224, 224), **params: Any) -> Filters:
    return Filters.model_validate(params).resolve(model(rows, input_size), LIMITS)
