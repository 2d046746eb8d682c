from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from workers.engine.ascent import cost
from workers.engine.device_speed import DeviceSpeed

TWO_CORES = DeviceSpeed(1.0, 1.0)


def test_chunks_are_few_and_even() -> None:
    assert cost.even_chunks(8, 8) == [8]
    assert cost.even_chunks(9, 8) == [5, 4]
    assert cost.even_chunks(20, 8) == [7, 7, 6]
    assert cost.even_chunks(3, 1) == [1, 1, 1]
    assert cost.even_chunks(1, 64) == [1]


def images_per_call(model: keras.Model, size: int, speed: DeviceSpeed = TWO_CORES) -> int:
    forward = tf.function(model, [tf.TensorSpec((None, size, size, model.input_shape[-1]))], autograph=False)
    return cost.images_per_call(forward.get_concrete_function().graph, speed)


def test_a_call_takes_fewer_images_of_a_heavier_step_and_always_one() -> None:
    image = keras.Input((None, None, 3))
    light = keras.Model(image, layers.Conv2D(2, 1)(image))
    heavy = keras.Model(image, layers.Conv2D(96, 7)(layers.Conv2D(96, 7, padding="same")(image)))
    assert images_per_call(light, 32) == cost.MOST_IMAGES
    assert images_per_call(heavy, 512) == 1
    assert 1 < images_per_call(heavy, 64) < cost.MOST_IMAGES


@pytest.mark.parametrize(("speed", "images"), [(1.0, 64), (0.25, 27), (0.0625, 6), (4.0**-4, 1)])
def test_a_call_takes_as_many_images_as_the_device_multiplies_in_its_time(
    speed: float, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step of 100 × 100 × 64 × 64 products and as many backward takes 0.455 ms, of which 109 fit into 50 ms."""
    monkeypatch.setattr(cost, "VALUES_PER_SECOND", 1e18)
    image = keras.Input((None, None, 64))
    model = keras.Model(image, layers.Conv2D(64, 1, use_bias=False)(image))
    assert images_per_call(model, 100, DeviceSpeed(speed, 1.0)) == images


@pytest.mark.parametrize(("speed", "part"), [((1.0, 4.0), 1), ((4.0, 1.0), 1), ((1.0, 0.25), 4), ((0.25, 1.0), 4)])
def test_the_lower_of_two_speeds_counts(speed: tuple[float, float], part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    image = keras.Input((None, None, 3))
    model = keras.Model(image, layers.Conv2D(8, 3)(image))
    monkeypatch.setattr(cost, "MOST_IMAGES", 10**9)
    monkeypatch.setattr(cost, "MOST_BYTES", 10**18)
    assert images_per_call(model, 100, DeviceSpeed(*speed)) == images_per_call(model, 100) // part


def test_products_are_counted_as_by_hand() -> None:
    """The model is a 3 × 2 convolution of 4 to 5 channels (10 × 8 → 8 × 7), a depthwise 3 × 3 one (→ 6 × 5), a product of 150 by 7."""
    x = keras.Input((10, 8, 4))
    y = layers.DepthwiseConv2D(3, use_bias=False)(layers.Conv2D(5, (3, 2), use_bias=False)(x))
    model = keras.Model(x, layers.Dense(7, use_bias=False)(layers.Flatten()(y)))
    forward = tf.function(model, [tf.TensorSpec((None, 10, 8, 4))], autograph=False)
    found = {
        operation.type: cost._values_per_image(operation.outputs[0]) * cost._products_per_value(operation)
        for operation in forward.get_concrete_function().graph.get_operations()
        if operation.type in cost.PRODUCT_OPS
    }
    assert found == {"Conv2D": 8 * 7 * 5 * 24, "DepthwiseConv2dNative": 6 * 5 * 5 * 9, "MatMul": 7 * 150}


@pytest.mark.parametrize("images", [1, 5, 64])
def test_chunks_cover_all(images: int) -> None:
    for most in range(1, 70):
        sizes = cost.even_chunks(images, most)
        assert sum(sizes) == images
        assert max(sizes) <= most
        assert np.ptp(sizes) <= 1
