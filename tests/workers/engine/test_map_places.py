"""The places of maps over the input are checked by hand, and by a bright spot whose place Keras itself computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from workers.contract.map_place import MapPlace
from workers.engine.graph import Graph
from workers.engine.map_places import map_places

SIZE = (60, 42)
LayerStack = Sequence[Callable[[Any], Any]]


def model_of(stack: LayerStack, size: tuple[int | None, int | None] = SIZE) -> keras.Model:
    photo = keras.Input((*size, 1), name="photo")
    x = photo
    for layer in stack:
        x = layer(x)
    return keras.Model(photo, layers.Identity(name="last")(x))


def place_of(model: keras.Model, size: tuple[int, int] = SIZE) -> MapPlace:
    return map_places(Graph(model).layers, "photo", size)["last"]


def centre_in_input(values: np.ndarray, place: MapPlace) -> tuple[float, float]:
    """Return the centre of brightness of a map (h, w), in pixels of the input."""
    found: list[float] = []
    for axis in (0, 1):
        weights = values.sum(axis=1 - axis)
        positions = np.arange(len(weights)) + 0.5
        if place.mirrored[axis]:
            positions = positions[::-1]
        found.append(float(place.area[axis] + (weights * positions).sum() / weights.sum() * place.area[axis + 2] / len(weights)))
    return found[0], found[1]


def mean(kernel: int, strides: int = 1, padding: str = "valid") -> keras.Layer:
    return layers.Conv2D(1, kernel, strides=strides, padding=padding, kernel_initializer="ones", use_bias=False)


def spread(kernel: int, strides: int, padding: str) -> keras.Layer:
    return layers.Conv2DTranspose(1, kernel, strides=strides, padding=padding, kernel_initializer="ones", use_bias=False)


# Each stack, with the largest distance in pixels between the spot and its place. Where a stride meets SAME padding, or padding as ResNet
# has it, maps lie over the whole input by convention, and the distance is at most half a position.
STACKS: dict[str, tuple[LayerStack, float]] = {
    "CenterCrop": ([layers.CenterCrop(40, 30)], 0.01),
    "CenterCrop of a larger size": ([layers.CenterCrop(80, 30)], 0.2),
    "CenterCrop, odd difference": ([layers.CenterCrop(41, 29), layers.AveragePooling2D((1, 3))], 0.01),
    "Cropping2D": ([layers.Cropping2D(((5, 3), (0, 7)))], 0.01),
    "ZeroPadding2D": ([layers.ZeroPadding2D(((4, 2), (6, 1)))], 0.01),
    "ZeroPadding2D, pooling": ([layers.ZeroPadding2D(3), layers.AveragePooling2D(6)], 0.6),
    "Resizing": ([layers.Resizing(30, 63)], 0.1),
    "Resizing, antialias": ([layers.Resizing(20, 21, antialias=True)], 0.1),
    "Resizing, cropped": ([layers.Resizing(40, 40, crop_to_aspect_ratio=True)], 0.1),
    "Resizing, padded": ([layers.Resizing(40, 40, pad_to_aspect_ratio=True)], 0.1),
    "Rescaling": ([layers.Rescaling(1 / 255)], 0.01),
    "random layers": ([layers.RandomFlip(), layers.RandomRotation(0.3), layers.RandomZoom(0.5), layers.RandomTranslation(0.2, 0.2)], 0.01),
    "RandomCrop": ([layers.RandomCrop(40, 30)], 0.01),
    "UpSampling2D": ([layers.UpSampling2D((2, 3))], 0.01),
    "UpSampling2D, bilinear": ([layers.AveragePooling2D(2), layers.UpSampling2D(2, interpolation="bilinear")], 0.1),
    "Conv2DTranspose": ([layers.AveragePooling2D(2), spread(4, 2, "same")], 0.1),
    "Conv2DTranspose, valid": ([layers.Cropping2D(((3, 0), (2, 0))), spread(5, 2, "valid")], 0.1),
    "convolution without padding": ([mean(5), mean(3), layers.AveragePooling2D(3, strides=2)], 0.4),
    "pooling that leaves a rest": ([layers.AveragePooling2D(8)], 1.3),
    "pooling, same": ([layers.AveragePooling2D(5, strides=3, padding="same")], 1.5),
    "as ResNet pads": ([layers.ZeroPadding2D(3), mean(7, 2), layers.ZeroPadding2D(1), layers.MaxPooling2D(3, strides=2)], 2),
    "as MobileNet pads": ([layers.ZeroPadding2D(((0, 1), (0, 1))), mean(3, 2)], 1),
    "flip": ([lambda x: ops.flip(x, axis=2), layers.Cropping2D(((4, 0), (9, 0)))], 0.01),
    "flip up and down": ([lambda x: ops.flip(x, axis=(1,)), layers.ZeroPadding2D(((3, 0), (0, 0)))], 0.01),
    "slices": ([lambda x: x[:, 7:-2, 3:]], 0.01),
    "slices backwards": ([lambda x: x[:, ::-1, 38:2:-1, :]], 0.01),
    "slices with steps": ([layers.AveragePooling2D(3, strides=1, padding="same"), lambda x: x[:, 4:50:2, ::-3]], 1.5),
    "ellipsis": ([lambda x: x[:, 10:, ...], lambda x: x[..., ::-1]], 0.01),
    "pad": ([lambda x: ops.pad(x, ((0, 0), (5, 1), (2, 8), (0, 0)))], 0.01),
    "crop_images": ([lambda x: ops.image.crop_images(x, top_cropping=3, left_cropping=5, target_height=50, target_width=30)], 0.01),
    "pad_images": ([lambda x: ops.image.pad_images(x, top_padding=3, left_padding=5, target_height=70, target_width=50)], 0.01),
    "resize": ([lambda x: ops.image.resize(x, (30, 30), crop_to_aspect_ratio=True, interpolation="nearest")], 1),
    "all together": (
        [layers.CenterCrop(50, 40), lambda x: x[:, :, ::-1], layers.Resizing(100, 60), layers.ZeroPadding2D(2), mean(5), mean(3, 2)],
        0.6,
    ),
}


@pytest.mark.parametrize("name", STACKS)
def test_a_spot_is_where_its_map_says(name: str) -> None:
    stack, distance = STACKS[name]
    model = model_of(stack)
    place = place_of(model)
    rows, columns = np.arange(SIZE[0])[:, None] + 0.5, np.arange(SIZE[1]) + 0.5
    for spot in ((24.0, 25.5), (36.5, 17.0)):
        photo = np.exp(-((rows - spot[0]) ** 2 + (columns - spot[1]) ** 2) / 4.5)[None, ..., None]
        seen = np.asarray(model(photo.astype("float32"), training=False))[0, ..., 0]
        assert centre_in_input(seen, place) == pytest.approx(spot, abs=distance + 0.01)


def test_a_map_of_an_input_of_any_size_follows_the_size() -> None:
    model = model_of([layers.CenterCrop(20, 16), layers.AveragePooling2D(2)], (None, None))
    assert place_of(model, (33, 47)) == MapPlace((6, 15, 20, 16), (6, 15, 20, 16))
    assert place_of(model, (50, 20)) == MapPlace((15, 2, 20, 16), (15, 2, 20, 16))


def test_by_hand_what_a_layer_sees_and_where_its_cells_lie() -> None:
    cut = MapPlace(area=(7, 3, 51, 39), seen=(7, 3, 51, 39))
    assert place_of(model_of([layers.Cropping2D(((7, 2), (3, 0)))])) == cut
    # Padding does not widen what is seen. 51 + 4 rows give 9 positions of 6 with a rest of 1, and 39 columns give 6 with a rest of 3.
    padded = place_of(model_of([layers.Cropping2D(((7, 2), (3, 0))), layers.ZeroPadding2D((2, 0)), layers.AveragePooling2D(6)]))
    assert padded == MapPlace(area=(5, 3, 54, 36), seen=cut.seen)
    # Without padding, a kernel of 5 leaves out 2 rows and columns at each border, but sees them.
    assert place_of(model_of([mean(5)])) == MapPlace(area=(2, 2, 56, 38), seen=(0, 0, 60, 42))
    mirrored = place_of(model_of([lambda x: x[:, ::-1, :-2]]))
    assert mirrored == MapPlace(area=(0, 0, 60, 40), seen=(0, 0, 60, 40), mirrored=(True, False))


@pytest.mark.parametrize("name", ["ResNet50", "MobileNetV2", "VGG16", "DenseNet121", "EfficientNetB0"])
@pytest.mark.slow
def test_maps_of_known_models_lie_over_the_whole_input(name: str) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=(224, 224, 3), include_top=False)
    graph = Graph(model)
    found = map_places(graph.layers, graph.input_names[0], (224, 224))
    assert found[model.layers[-1].name] == MapPlace.whole((224, 224))


def test_a_merge_lies_where_its_largest_map_lies_and_a_gate_moves_nothing() -> None:
    photo = keras.Input((60, 42, 1), name="photo")
    cut = layers.Cropping2D(10)(photo)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(photo)
    gated = layers.Multiply(name="last")([gate, cut])
    assert place_of(keras.Model(photo, gated)) == MapPlace((10, 10, 40, 22), (10, 10, 40, 22))


def test_tokens_lie_where_their_map_lies() -> None:
    photo = keras.Input((60, 42, 1), name="photo")
    x = layers.Conv2D(4, 8, strides=8)(layers.CenterCrop(40, 32)(photo))
    x = layers.Reshape((5 * 4, 4))(x)
    x = layers.LayerNormalization(name="last")(x + layers.MultiHeadAttention(1, 4)(x, x))
    assert place_of(keras.Model(photo, x)) == MapPlace((10, 5, 40, 32), (10, 5, 40, 32))


def test_inside_a_nested_model() -> None:
    inner_input = keras.Input((None, None, 1), name="inner_in")
    inner = keras.Model(inner_input, layers.AveragePooling2D(2, name="pool")(inner_input), name="inner")
    photo = keras.Input((60, 42, 1), name="photo")
    model = keras.Model(photo, inner(layers.Cropping2D(((0, 20), (12, 0)))(photo)))
    assert map_places(Graph(model).layers, "photo", SIZE)["inner/pool"] == MapPlace((0, 12, 40, 30), (0, 12, 40, 30))
