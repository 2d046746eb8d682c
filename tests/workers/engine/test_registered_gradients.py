"""A compiled function that is dropped takes its graph along, also if operations in it have gradients of their own."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.ops import gradient_registry

from workers.engine.compiled_cache import CompiledCache

X = tf.TensorSpec((None, 3), tf.float32)


@tf.custom_gradient
def doubled(x: Any) -> Any:
    """Return x, with a gradient that is twice the gradient of what follows."""
    return tf.identity(x), lambda g: 2 * g


def build_gradient() -> Any:
    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.nn.silu(doubled(x)))
        return tape.gradient(y, x)

    return tf.function(gradient, input_signature=(X,), autograph=False)


def build_loop() -> Any:
    def loop(x: Any) -> Any:
        return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.nn.silu(y)), (0, x))[1]

    return tf.function(loop, input_signature=(X,), autograph=False)


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


@pytest.mark.parametrize("build", [build_gradient, build_loop])
def test_the_graph_of_a_dropped_function_is_freed(build: Any) -> None:
    before, cache = set(gradient_registry.list()), CompiledCache()
    compiled: Any = cache.get("one", build)
    assert compiled.operations > 3
    assert set(gradient_registry.list()) == before
    graph = weakref.ref(compiled.function.get_concrete_function().graph)
    compiled = None
    cache.clear()
    gc.collect()
    assert graph() is None


def test_the_values_are_those_of_the_functions() -> None:
    x = np.array([[-1.5, 0.25, 2.0]], np.float32)
    cache, sigmoid = CompiledCache(), 1 / (1 + np.exp(-x))
    gradient = cache.get("gradient", build_gradient)(x).numpy()
    np.testing.assert_allclose(gradient, 2 * (sigmoid + x * sigmoid * (1 - sigmoid)), rtol=1e-5)
    np.testing.assert_allclose(cache.get("loop", build_loop)(x).numpy(), silu(silu(silu(x))), rtol=1e-5)
