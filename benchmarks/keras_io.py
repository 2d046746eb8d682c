"""The loops that keras.io publishes, as it publishes them: examples/vision/grad_cam and visualizing_what_convnets_learn (Chollet)."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

_LEARNING_RATE = 10.0


def grad_cam(model: keras.Model, layer: str) -> Callable[[np.ndarray], np.ndarray]:
    """`make_gradcam_heatmap` of the top class, (1, H, W, 3) → (h, w). The model up to the layer is made once and kept, which the
    example does anew for each image; the last activation is taken off, as the example does."""
    model.layers[-1].activation = None
    both = keras.Model(model.inputs, [model.get_layer(layer).output, model.output])

    def heatmap(image: np.ndarray) -> np.ndarray:
        with tf.GradientTape() as tape:
            activations, predictions = both(image)
            score = predictions[:, tf.argmax(predictions[0])]
        gradients = tape.gradient(score, activations)
        pooled = tf.reduce_mean(gradients, axis=(0, 1, 2))
        heat = tf.squeeze(activations[0] @ pooled[..., tf.newaxis])
        heat = tf.maximum(heat, 0) / tf.math.reduce_max(heat)
        return heat.numpy()

    return heatmap


def filters(model: keras.Model, layer: str, side: int, steps: int) -> Callable[[int], np.ndarray]:
    """`visualize_filter`, up to the picture: a channel's index → (side, side, 3). The index is a Python number, so that each
    filter is traced, as in the example."""
    extractor = keras.Model(inputs=model.inputs, outputs=model.get_layer(layer).output)

    @tf.function
    def step(image: tf.Tensor, index: int, learning_rate: float) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = tf.reduce_mean(extractor(image)[:, 2:-2, 2:-2, index])
        gradients = tf.math.l2_normalize(tape.gradient(loss, image))
        return loss, image + learning_rate * gradients

    def synthesise(index: int) -> np.ndarray:
        image = (tf.random.uniform((1, side, side, 3)) - 0.5) * 0.25
        for _ in range(steps):
            _, image = step(image, index, _LEARNING_RATE)
        return image[0].numpy()

    return synthesise
