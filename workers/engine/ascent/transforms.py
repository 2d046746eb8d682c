"""Random changes of the image before each step (Olah et al., Distill 2017, "Transformation robustness")."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from schemas.methods.synthesis.transforms import Transforms
from workers.contract.arrays import Float32

NUMBERS_PER_STEP = 8
"""The random numbers of a step, in this order: shift down and shift right in pixels; zoom; angle in radians; top, left and side of the
crop as shares of the image's sides; the seed of the noise."""
NOISE_SEEDS = 2**24  # a float32 holds all whole numbers below this


def random_numbers(transforms: Transforms, steps: int, seed: int) -> Float32:
    """Return the random numbers of every step, (steps, 8) float32.

    All images of a step share one set, so that an image does not depend on the others in its batch.
    """
    random = np.random.default_rng((seed, 0, 1))
    shifts = random.integers(-transforms.jitter, transforms.jitter, size=(steps, 2), endpoint=True)
    zoom = random.uniform(1 - transforms.scale, 1 + transforms.scale, size=(steps, 1))
    angle = random.uniform(-1, 1, size=(steps, 1)) * math.radians(transforms.rotate)
    side = random.uniform(*(transforms.crop or (1, 1)), size=(steps, 1))
    corner = random.uniform(0, 1, size=(steps, 2)) * (1 - side)
    noise = random.integers(NOISE_SEEDS, size=(steps, 1))
    return np.concatenate([shifts, zoom, angle, corner, side, noise], axis=1).astype(np.float32)


def is_affine(transforms: Transforms) -> bool:
    """Return whether the transforms interpolate pixels, and not only shift them."""
    return transforms.scale > 0 or transforms.rotate > 0


def move(images: Any, numbers: Any, fill: Any, *, pad: int, affine: bool) -> Any:
    """Return images (n, H, W, C) zoomed and rotated about the centre and then shifted, of the same shape.

    Args:
        images: model inputs, float32.
        numbers: a row of `random_numbers`.
        fill: the colour (C,) that surrounds the image and comes into view; beyond it the image repeats, as in DeepDream's jitter.
        pad: how many pixels of `fill` there are on each side.
        affine: whether to interpolate pixels bilinearly; otherwise they are shifted by whole pixels.
    """
    height, width = images.shape[1:3]
    padded = _pad(images, fill, pad) if pad else images
    if affine:
        return _sample(padded, numbers, (height, width))
    shift = tf.cast(numbers[:2], tf.int32)
    return tf.roll(padded, shift, axis=(1, 2))[:, pad : pad + height, pad : pad + width]


def crop(images: Any, numbers: Any, view: tuple[int, int]) -> Any:
    """Return the crop of images (n, H, W, C) that `numbers` (a row of `random_numbers`) gives, resized to (n, *view, C).

    It is resized as Pillow's `BILINEAR` does, which averages pixels where the crop is larger than the view.
    """
    height, width = images.shape[1:3]
    rows, columns = _resampling(numbers[4], numbers[6], height, view[0]), _resampling(numbers[5], numbers[6], width, view[1])
    return tf.einsum("ih,nhwc,jw->nijc", rows, images, columns)


def noise(numbers: Any, sigma: Any, shape: tuple[int, ...]) -> Any:
    """Return normal noise (1, *shape) of standard deviation `sigma`; it is the same for all images of a step."""
    return tf.random.stateless_normal((1, *shape), tf.stack([tf.cast(numbers[7], tf.int32), 0])) * sigma


def _resampling(start: Any, share: Any, side: int, view: int) -> Any:
    """Return the weights (view, side) of the image's pixels in each pixel of the view; each row sums to 1."""
    step = share * side / view  # the number of image pixels for one pixel of the view
    centre = start * side + (tf.range(view, dtype=tf.float32) + 0.5) * step - 0.5
    distance = tf.abs(centre[:, None] - tf.range(side, dtype=tf.float32)[None, :])
    weights = tf.maximum(1 - distance / tf.maximum(step, 1), 0)
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)


def _pad(images: Any, fill: Any, pad: int) -> Any:
    return tf.pad(images - fill, ((0, 0), (pad, pad), (pad, pad), (0, 0))) + fill


def _sample(padded: Any, numbers: Any, size: tuple[int, int]) -> Any:
    """Return bilinear samples at centre + rotation(angle) / zoom · (p − centre) − shift, for every pixel p of the output."""
    height, width = size
    full_height, full_width, channels = padded.shape[1:]
    y = tf.range(height, dtype=tf.float32)[:, None] - (height - 1) / 2
    x = tf.range(width, dtype=tf.float32)[None, :] - (width - 1) / 2
    cos, sin = tf.cos(numbers[3]) / numbers[2], tf.sin(numbers[3]) / numbers[2]
    source_y = cos * y + sin * x + (full_height - 1) / 2 - numbers[0]
    source_x = cos * x - sin * y + (full_width - 1) / 2 - numbers[1]
    top, left = tf.floor(source_y), tf.floor(source_x)
    down, right = source_y - top, source_x - left
    flat = tf.reshape(padded, (-1, full_height * full_width, channels))
    result = 0.0
    for dy, dx, weight in ((0, 0, (1 - down) * (1 - right)), (0, 1, (1 - down) * right), (1, 0, down * (1 - right)), (1, 1, down * right)):
        row = tf.math.floormod(tf.cast(top, tf.int32) + dy, full_height)
        column = tf.math.floormod(tf.cast(left, tf.int32) + dx, full_width)
        values = tf.gather(flat, tf.reshape(row * full_width + column, (-1,)), axis=1)
        result += tf.reshape(values, (-1, height, width, channels)) * weight[None, :, :, None]
    return result
