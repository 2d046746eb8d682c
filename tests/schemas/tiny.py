"""Make small models as a worker would publish them."""

from __future__ import annotations

from schemas.models import InputSpec, Layer, LayerKind, ModelDescription, Preprocessing, PublishedModel, ReceptiveField, TokenGrid

LABELS = ("tench, Tinca tinca", "tabby, tabby cat", "Egyptian cat", "tabby, brindled cat", "espresso")


def layer(path: str, kind: LayerKind, shape: tuple[int | None, ...], inbound: tuple[str, ...], *, cam_able: bool = False) -> Layer:
    return Layer(
        path=path,
        type={"conv": "Conv2D", "dense": "Dense", "pooling": "MaxPooling2D"}.get(kind.value, kind.value.title()),
        kind=kind,
        output_shape=shape,
        parameters=9,
        channels=shape[-1],
        receptive_field=ReceptiveField(size=(3, 3), stride=(1, 1)) if len(shape) == 3 else None,
        inbound=inbound,
        cam_able=cam_able,
    )


def description(name: str = "vgg16", **changes: object) -> ModelDescription:
    """Return a model with five classes and three convolutions, one of them in a nested model; `changes` replace fields."""
    fields: dict[str, object] = {
        "name": name,
        "source": "keras_applications",
        "title": "as the worker calls it",
        "input": InputSpec(name="input", height=20, width=30, channels=3),
        "preprocessing": Preprocessing.named("caffe"),
        "classes": len(LABELS),
        "head": "softmax",
        "outputs": ("predictions",),
        "fingerprint": "f" * 64,
        "parameters": 1234,
        "default_layer": "block5_conv3",
        "layers": (
            layer("input", LayerKind.INPUT, (20, 30, 3), ()),
            layer("block5_conv1", LayerKind.CONV, (10, 15, 4), ("input",), cam_able=True),
            layer("block5_conv3", LayerKind.CONV, (5, 7, 8), ("block5_conv1",), cam_able=True),
            layer("base/conv", LayerKind.CONV, (5, 7, 2), ("block5_conv3",), cam_able=True),
            layer("average", LayerKind.POOLING, (2,), ("base/conv",)),
            layer("predictions", LayerKind.DENSE, (5,), ("average",)),
        ),
    }
    return ModelDescription.model_validate(fields | changes)


def published(labels: tuple[str, ...] = LABELS, **changes: object) -> PublishedModel:
    return PublishedModel(description=description(**changes), labels=labels, digest="1")


def transformer(before: int = 1, **changes: object) -> PublishedModel:
    """Return a vision transformer with two attention layers over tokens that form a map of 3 × 4, after `before` other tokens."""
    grid, tokens = TokenGrid(height=3, width=4, before=before), (12 + before, 6)
    names = ("tokens", "block1_attention", "block2_attention")
    kinds = (LayerKind.RESHAPE, LayerKind.ATTENTION, LayerKind.ATTENTION)
    inbound = ("input", *names[:-1])
    stack = tuple(
        layer(name, kind, tokens, (read,), cam_able=True).model_copy(update={"token_grid": grid, "type": "MultiHeadAttention"})
        for name, kind, read in zip(names, kinds, inbound, strict=True)
    )
    head = layer("predictions", LayerKind.DENSE, (5,), (names[-1],))
    return published(layers=(layer("input", LayerKind.INPUT, (20, 30, 3), ()), *stack, head), default_layer=names[-1], **changes)
