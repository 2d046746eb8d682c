from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from workers.engine.ascent import cost


def test_chunks_are_few_and_even() -> None:
    assert cost.even_chunks(8, 8) == [8]
    assert cost.even_chunks(9, 8) == [5, 4]
    assert cost.even_chunks(20, 8) == [7, 7, 6]
    assert cost.even_chunks(3, 1) == [1, 1, 1]
    assert cost.even_chunks(1, 64) == [1]


def images_per_call(model: keras.Model, size: int) -> int:
    forward = tf.function(model, [tf.TensorSpec((None, size, size, 3))], autograph=False)
    return cost.images_per_call(forward.get_concrete_function().graph)


def test_a_call_takes_fewer_images_of_a_heavier_step_and_always_one() -> None:
    image = keras.Input((None, None, 3))
    light = keras.Model(image, layers.Conv2D(2, 1)(image))
    heavy = keras.Model(image, layers.Conv2D(96, 7)(layers.Conv2D(96, 7, padding="same")(image)))
    assert images_per_call(light, 32) == cost.MOST_IMAGES
    assert images_per_call(heavy, 512) == 1
    assert 1 < images_per_call(heavy, 64) < cost.MOST_IMAGES


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
