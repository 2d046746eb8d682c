"""Receptive fields are checked by hand and against the pixels that have a gradient."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from schemas.models import ReceptiveField
from workers.engine.graph import Graph
from workers.models.description.receptive_field import receptive_fields

layers = keras.layers
SizeAndStride = tuple[tuple[int, int], tuple[int, int]]


def fields(model: keras.Model) -> dict[str, SizeAndStride | None]:
    """Return (size, stride) of each layer by path, or None where they are not defined."""
    found = receptive_fields(Graph(model).layers)
    return {path: None if field is None else (field.size, field.stride) for path, field in found.items()}


def chain(*stack: keras.Layer, size: tuple[int, int] = (61, 47)) -> keras.Model:
    return keras.Sequential([keras.Input((*size, 3), name="photo"), *stack])


def test_by_hand_on_a_chain() -> None:
    found = fields(
        chain(
            layers.ZeroPadding2D(2, name="pad"),
            layers.Conv2D(4, (3, 5), strides=(2, 1), name="a"),
            layers.BatchNormalization(name="bn"),
            layers.ReLU(name="relu"),
            layers.DepthwiseConv2D(3, dilation_rate=(1, 2), name="b"),
            layers.MaxPooling2D((2, 3), strides=(2, 2), name="c"),
            layers.SeparableConv2D(4, (1, 2), name="d"),
            layers.AveragePooling2D(2, name="e"),
        )
    )
    assert found["pad"] == ((1, 1), (1, 1))
    assert found["a"] == found["bn"] == found["relu"] == ((3, 5), (2, 1))
    assert found["b"] == ((3 + 2 * 2, 5 + 2 * 2), (2, 1))  # the kernel of 3 adds 2 steps of 2 rows down, and 2 steps of dilation 2 across
    assert found["c"] == ((7 + 1 * 2, 9 + 2 * 1), (4, 2))
    assert found["d"] == ((9, 11 + 1 * 2), (4, 2))
    assert found["e"] == ((9 + 4, 13 + 2), (8, 4))


def test_it_is_where_the_gradient_is_not_zero() -> None:
    """With positive weights, the input pixels that have a gradient from one position are its receptive field."""
    model = chain(
        layers.Conv2D(2, (3, 2), strides=2, kernel_initializer="ones"),
        layers.Conv2D(2, 3, dilation_rate=(2, 1), kernel_initializer="ones"),
        layers.AveragePooling2D((2, 3), strides=(1, 2)),
        layers.Conv2D(1, (2, 1), kernel_initializer="ones", name="last"),
    )
    photo = tf.ones((1, 61, 47, 3))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(photo)
        outputs = model(photo)
        positions = {name: outputs[0, y, x, 0] for name, (y, x) in {"here": (2, 3), "below": (3, 3), "right": (2, 4)}.items()}
    found = fields(model)["last"]
    assert found is not None
    size, stride = found
    corners = {}
    for name, value in positions.items():
        seen = np.abs(tape.gradient(value, photo)[0]).sum(-1) > 0
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == size
        corners[name] = (rows[0], columns[0])
    assert (corners["below"][0] - corners["here"][0], corners["right"][1] - corners["here"][1]) == stride


def seen_from(model: keras.Model, layer: str, position: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the first and last row and the first and last column that have a gradient from one position."""
    inner = keras.Model(model.inputs, model.get_layer(layer).output)
    photo = tf.ones((1, *model.input_shape[1:]))
    with tf.GradientTape() as tape:
        tape.watch(photo)
        value = inner(photo, training=False)[0, position[0], position[1], 0]
    seen = np.abs(tape.gradient(value, photo)[0]).sum(-1) > 0
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


@pytest.mark.parametrize("size", [(61, 47), (60, 46), (59, 48), (62, 45)])
def test_it_begins_where_the_gradient_does(size: tuple[int, int]) -> None:
    """It is exact away from the border, with SAME padding of sides that the strides divide or not, given padding and cropping."""
    model = chain(
        layers.ZeroPadding2D(((2, 1), (0, 3))),
        layers.Conv2D(2, (3, 4), strides=(2, 3), padding="same", kernel_initializer="ones"),
        layers.Cropping2D(((1, 0), (0, 1))),
        layers.DepthwiseConv2D((2, 3), dilation_rate=(2, 1), padding="same", depthwise_initializer="ones"),
        layers.AveragePooling2D((3, 2), strides=2, padding="same", name="last"),
        size=size,
    )
    field = receptive_fields(Graph(model).layers)["last"]
    assert field is not None
    for y, x in ((3, 3), (4, 3)):
        top, left = (field.offset[axis] + at * field.stride[axis] for axis, at in enumerate((y, x)))
        assert seen_from(model, "last", (y, x)) == (top, top + field.size[0] - 1, left, left + field.size[1] - 1)


@pytest.mark.parametrize("name", ["mirrored", "centre", "resized", "enlarged", "bilinear", "cubic"])
def test_it_holds_what_has_a_gradient_after_layers_that_move_the_image(name: str) -> None:
    """The size is exact if all positions see equally much. After a resizing, it is the most that a position can see."""
    moves = {
        "mirrored": [lambda x: x[:, ::-1, 2:], layers.Cropping2D(((0, 3), (4, 0)))],
        "centre": [layers.CenterCrop(40, 32), layers.RandomFlip()],
        "resized": [layers.Resizing(41, 29)],
        "enlarged": [layers.UpSampling2D((2, 3))],
        "bilinear": [layers.Resizing(90, 100, antialias=True)],
        "cubic": [layers.Resizing(40, 35, interpolation="bicubic")],
    }[name]
    photo = keras.Input((61, 47, 3), name="photo")
    x = photo
    for move in moves:
        x = move(x)
    x = layers.Conv2D(2, (3, 4), strides=(2, 1), padding="same", kernel_initializer="ones", name="last")(x)
    model = keras.Model(photo, x)
    field = receptive_fields(Graph(model).layers)["last"]
    assert field is not None
    for y, x in ((5, 8), (6, 9)):
        top, left = (field.offset[axis] + at * field.stride[axis] for axis, at in enumerate((y, x)))
        rows, columns = (top, top + field.size[0] - 1), (left, left + field.size[1] - 1)
        seen = seen_from(model, "last", (y, x))
        if name in ("mirrored", "centre"):
            assert seen == (*rows, *columns)
        else:
            beyond = np.array([seen[0] - rows[0], rows[1] - seen[1], seen[2] - columns[0], columns[1] - seen[3]])
            assert (beyond > -1e-6).all()
            assert (beyond < 2.5).all()


def test_by_hand_after_a_resizing_and_a_mirror() -> None:
    """Half the size: position i of the map reads rows 2i and 2i + 1. Mirrored, position 0 of the 20 columns reads columns 39 and 38."""
    photo = keras.Input((60, 40, 3), name="photo")
    half = layers.Resizing(30, 20, name="half")(photo)
    found = receptive_fields(Graph(keras.Model(photo, layers.Identity(name="last")(half[:, :, ::-1]))).layers)
    assert found["half"] == ReceptiveField(size=(2, 2), stride=(2, 2), offset=(0, 0))
    assert found["last"] == ReceptiveField(size=(2, 2), stride=(2, -2), offset=(0, 38))
    assert isinstance(found["last"].offset[1], int)


def test_offsets_by_hand() -> None:
    found = receptive_fields(
        Graph(
            chain(
                layers.Conv2D(2, (3, 5), strides=2, padding="same", name="odd"),  # 61 % 2 = 1, so 3 - 1 = 2 rows of padding, 1 before
                layers.Conv2D(2, 3, padding="same", name="kept"),  # 1 position before, of 2 pixels
                layers.MaxPooling2D(2, name="pool"),
                size=(61, 46),  # 46 % 2 = 0, so 5 - 2 = 3 columns of padding, 1 before
            )
        ).layers
    )
    assert [found[path].offset for path in ("odd", "kept", "pool")] == [(-1, -1), (-3, -3), (-3, -3)]  # type: ignore[union-attr]


def test_a_free_size_counts_as_divisible() -> None:
    photo = keras.Input((None, None, 3))
    found = receptive_fields(Graph(keras.Model(photo, layers.Conv2D(2, 4, strides=2, padding="same", name="conv")(photo))).layers)
    assert found["conv"].offset == (-1, -1)  # type: ignore[union-attr]


def test_a_merge_sees_what_its_widest_input_sees() -> None:
    photo = keras.Input((61, 47, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(photo)
    narrow = layers.Conv2D(4, (1, 7), padding="same", name="narrow")(x)
    wide = layers.Conv2D(4, (5, 1), padding="same", name="wide")(x)
    merged = layers.Concatenate(name="merged")([narrow, wide, x])
    assert fields(keras.Model(photo, merged))["merged"] == ((3 + 4 * 2, 3 + 6 * 2), (2, 2))


def test_a_gate_from_the_whole_image_is_ignored() -> None:
    """Squeeze-and-excite scales channels, so the map still shows what its convolutions see."""
    photo = keras.Input((61, 47, 3))
    x = layers.Conv2D(4, 3, strides=2, name="conv")(photo)
    gate = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    gate = layers.Conv2D(4, 1, activation="sigmoid", name="excite")(gate)
    found = fields(keras.Model(photo, layers.Multiply(name="gated")([x, gate])))
    assert (found["squeeze"], found["excite"]) == (None, None)
    assert found["gated"] == ((3, 3), (2, 2))


@pytest.mark.parametrize(
    "layer",
    [
        layers.Flatten(),
        layers.GlobalAveragePooling2D(),
        layers.GlobalMaxPooling2D(keepdims=True),
        layers.Conv2DTranspose(2, 3),
        layers.Permute((2, 1, 3)),
        layers.Reshape((47, 61, 3)),
        layers.GroupNormalization(3),
        layers.LayerNormalization(axis=(1, 2)),
        layers.Softmax(axis=1),
    ],
    ids=lambda layer: layer.name,
)
def test_it_is_not_defined_after(layer: keras.Layer) -> None:
    layer.name = "here"
    model = chain(layer)
    assert fields(model)["here"] is None
    if len(model.output_shape) == 4:
        after = keras.Sequential([keras.Input((61, 47, 3)), layer, layers.ReLU(name="after")])
        assert fields(after)["after"] is None


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(2),
        layers.LayerNormalization(),
        layers.Dropout(0.1),
        layers.Rescaling(1 / 255),
        layers.Softmax(),
        layers.Activation("gelu"),
    ],
    ids=lambda layer: layer.name,
)
def test_it_does_not_change_at(layer: keras.Layer) -> None:
    layer.name = "here"
    assert fields(chain(layers.Conv2D(2, (3, 4), strides=(1, 2)), layer))["here"] == ((3, 4), (1, 2))


def test_a_merge_of_different_strides_has_none() -> None:
    photo = keras.Input((64, 48, 3))
    fine = layers.Conv2D(2, 3, padding="same")(photo)
    coarse = layers.ZeroPadding2D(((16, 16), (12, 12)))(layers.MaxPooling2D(2)(fine))
    assert fields(keras.Model(photo, layers.Add(name="both")([fine, coarse])))["both"] is None


def test_it_continues_inside_a_nested_model() -> None:
    inner_input = keras.Input((None, None, 4), name="inner_in")
    inner = keras.Model(inner_input, layers.Conv2D(2, 3, name="conv")(inner_input), name="inner")
    photo = keras.Input((61, 47, 3))
    x = inner(layers.Conv2D(4, 5, strides=3, name="stem")(photo))
    found = fields(keras.Model(photo, layers.ReLU(name="out")(x)))
    assert found["inner/inner_in"] == ((5, 5), (3, 3))
    assert found["inner/conv"] == found["inner"] == found["out"] == ((5 + 2 * 3, 5 + 2 * 3), (3, 3))
