"""Random changes of the image before each step (Olah et al., Distill 2017, "Transformation robustness")."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from schemas.methods.synthesis.transforms import Transforms
from workers.contract.arrays import Float32

# Numbers a step takes: shift down, shift right (pixels), zoom, angle (radians); top, left and side of the part seen, as shares of
# the image's sides; the noise's seed.
DRAWS = 8
NOISE_SEEDS = 2**24  # whole numbers that a float32 holds


def draws(transforms: Transforms, steps: int, seed: int) -> Float32:
    """The random numbers of every step, (steps, 8) float32. One set a step for all images, so that they do not depend on the batch."""
    random = np.random.default_rng((seed, 0, 1))
    shifts = random.integers(-transforms.jitter, transforms.jitter, size=(steps, 2), endpoint=True)
    zoom = random.uniform(1 - transforms.scale, 1 + transforms.scale, size=(steps, 1))
    angle = random.uniform(-1, 1, size=(steps, 1)) * math.radians(transforms.rotate)
    side = random.uniform(*(transforms.crop or (1, 1)), size=(steps, 1))
    corner = random.uniform(0, 1, size=(steps, 2)) * (1 - side)
    noise = random.integers(NOISE_SEEDS, size=(steps, 1))
    return np.concatenate([shifts, zoom, angle, corner, side, noise], axis=1).astype(np.float32)


def is_affine(transforms: Transforms) -> bool:
    """Whether pixels are interpolated, not only shifted."""
    return transforms.scale > 0 or transforms.rotate > 0


def apply(images: Any, draw: Any, fill: Any, *, pad: int, affine: bool) -> Any:
    """Images (n, H, W, C) → the same shape: zoomed and rotated about the centre, then shifted.

    `pad` pixels of `fill` (C,) surround the image and come into view; beyond them it repeats, as with DeepDream's jitter.
    `draw` is a row of `draws`. With `affine` pixels are bilinear, else shifted as they are.
    """
    height, width = images.shape[1:3]
    padded = _pad(images, fill, pad) if pad else images
    if affine:
        return _sample(padded, draw, (height, width))
    shift = tf.cast(draw[:2], tf.int32)
    return tf.roll(padded, shift, axis=(1, 2))[:, pad : pad + height, pad : pad + width]


def part(images: Any, draw: Any, view: tuple[int, int]) -> Any:
    """Images (n, H, W, C) → (n, *view, C): the part that `draw` says, resized as Pillow's `BILINEAR` does, averaging where it shrinks."""
    height, width = images.shape[1:3]
    rows, columns = _resampling(draw[4], draw[6], height, view[0]), _resampling(draw[5], draw[6], width, view[1])
    return tf.einsum("ih,nhwc,jw->nijc", rows, images, columns)


def noise(draw: Any, sigma: Any, shape: tuple[int, ...]) -> Any:
    """Normal, (1, *shape): one and the same for all images, so that they do not depend on the batch."""
    return tf.random.stateless_normal((1, *shape), tf.stack([tf.cast(draw[7], tf.int32), 0])) * sigma


def _resampling(start: Any, share: Any, side: int, view: int) -> Any:
    """(view, side): the weights of the image's pixels in those of the view, which sum to 1."""
    step = share * side / view  # pixels of the image to one of the view
    centre = start * side + (tf.range(view, dtype=tf.float32) + 0.5) * step - 0.5
    distance = tf.abs(centre[:, None] - tf.range(side, dtype=tf.float32)[None, :])
    weights = tf.maximum(1 - distance / tf.maximum(step, 1), 0)
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)


def _pad(images: Any, fill: Any, pad: int) -> Any:
    return tf.pad(images - fill, ((0, 0), (pad, pad), (pad, pad), (0, 0))) + fill


def _sample(padded: Any, draw: Any, size: tuple[int, int]) -> Any:
    """Bilinear samples at centre + rotation(angle) / zoom · (p − centre) − shift, p the output's pixels."""
    height, width = size
    full_height, full_width, channels = padded.shape[1:]
    y = tf.range(height, dtype=tf.float32)[:, None] - (height - 1) / 2
    x = tf.range(width, dtype=tf.float32)[None, :] - (width - 1) / 2
    cos, sin = tf.cos(draw[3]) / draw[2], tf.sin(draw[3]) / draw[2]
    source_y = cos * y + sin * x + (full_height - 1) / 2 - draw[0]
    source_x = cos * x - sin * y + (full_width - 1) / 2 - draw[1]
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
