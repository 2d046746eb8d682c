"""The loops that keras.io publishes in examples/vision/grad_cam and examples/vision/visualizing_what_convnets_learn (F. Chollet)."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

_LEARNING_RATE = 10.0


def grad_cam(model: keras.Model, layer: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return the example's `make_gradcam_heatmap` for the top class: a function from an input (1, H, W, 3) to a map (h, w).

    The last activation of the model is removed, as in the example. The example makes the model up to the layer anew for each image;
    here it is made once.
    """
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
    """Return the example's `visualize_filter` without its picture: a function from a channel index to an input (side, side, 3).

    The channel index is a Python number, so TensorFlow traces the step for each channel, as in the example.
    """
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
