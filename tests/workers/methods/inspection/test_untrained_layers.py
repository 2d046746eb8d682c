from __future__ import annotations

import keras
import numpy as np
import pytest

from workers.methods.inspection.untrained_layers import convolved, glorot_kernel, pooled

RNG = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("rows", "columns", "inputs", "filters"), [(3, 3, 3, 3), (10, 10, 3, 2), (15, 15, 1, 1), (1, 1, 4, 5), (2, 5, 3, 1)]
)
def test_convolution_is_keras_own(rows: int, columns: int, inputs: int, filters: int) -> None:
    maps = RNG.uniform(0, 255, (23, 31, inputs)).astype(np.float32)
    kernel = RNG.normal(size=(rows, columns, inputs, filters)).astype(np.float32)
    layer = keras.layers.Conv2D(filters, (rows, columns), padding="valid", use_bias=False)
    layer.build((None, 23, 31, inputs))
    layer.set_weights([kernel])
    expected = layer(maps[None]).numpy()[0]
    found = convolved(maps, kernel)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("size", [2, 3, 5])
def test_pooling_is_keras_own(size: int) -> None:
    maps = RNG.normal(size=(23, 31, 3)).astype(np.float32)
    for average, layer in ((False, keras.layers.MaxPooling2D), (True, keras.layers.AveragePooling2D)):
        expected = layer(size, padding="valid")(maps[None]).numpy()[0]
        np.testing.assert_allclose(pooled(maps, size, average=average), expected, rtol=1e-5, atol=1e-6)


def test_by_hand() -> None:
    maps = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    kernel = np.array([[1, 0], [0, -2]], np.float32)[..., None, None]
    np.testing.assert_array_equal(convolved(maps, kernel)[..., 0], [[-10, -11, -12], [-14, -15, -16]])
    np.testing.assert_array_equal(pooled(maps, 2, average=False)[..., 0], [[5, 7]])
    np.testing.assert_array_equal(pooled(maps, 2, average=True)[..., 0], [[2.5, 4.5]])


def test_kernels_are_glorot_uniform_and_repeat_by_seed() -> None:
    kernel = glorot_kernel(np.random.default_rng(3), 10, 3, 16)
    limit = (6 / (100 * 3 + 100 * 16)) ** 0.5
    assert kernel.shape == (10, 10, 3, 16)
    assert np.abs(kernel).max() == pytest.approx(limit, rel=0.01)
    assert np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / 3**0.5, rel=0.03)
    np.testing.assert_array_equal(kernel, glorot_kernel(np.random.default_rng(3), 10, 3, 16))
    assert (kernel != glorot_kernel(np.random.default_rng(4), 10, 3, 16)).any()
