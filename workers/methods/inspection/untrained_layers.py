"""Compute untrained layers as Keras does: a valid convolution with random kernels, and pooling of windows that lie side by side."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32


def glorot_kernel(rng: np.random.Generator, side: int, inputs: int, filters: int) -> Float32[np.ndarray, "side side inputs filters"]:
    """Return a kernel of uniform values in ±√(6 / (fan in + fan out)), as `keras.initializers.GlorotUniform` does.

    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010.
    """
    limit = np.sqrt(6 / (side * side * (inputs + filters)))
    return rng.uniform(-limit, limit, (side, side, inputs, filters)).astype(np.float32)


def convolved(
    maps: Float32[np.ndarray, "h w inputs"], kernel: Float32[np.ndarray, "a b inputs filters"]
) -> Float32[np.ndarray, "H W filters"]:
    """Return the output of `Conv2D(…, padding="valid", use_bias=False)`, (h − a + 1, w − b + 1, filters). The kernel is not flipped."""
    height, width, inputs = maps.shape
    rows, columns, _, filters = kernel.shape
    # filter2D has an output at every pixel, with the kernel's centre at (a // 2, b // 2). Valid are those whose kernel lies inside the map.
    inside = np.s_[rows // 2 : rows // 2 + height - rows + 1, columns // 2 : columns // 2 + width - columns + 1]
    answer = np.zeros((height - rows + 1, width - columns + 1, filters), np.float32)
    for channel in range(inputs):
        plane = np.ascontiguousarray(maps[..., channel])
        for index in range(filters):
            answer[..., index] += cv2.filter2D(plane, cv2.CV_32F, np.ascontiguousarray(kernel[:, :, channel, index]))[inside]
    return answer


def pooled(maps: Float32[np.ndarray, "h w k"], size: int, *, average: bool) -> Float32[np.ndarray, "H W k"]:
    """Return the maximum or the mean of windows of size × size that lie side by side. Rows and columns that fill no window are left out."""
    height, width = maps.shape[0] // size, maps.shape[1] // size
    windows = maps[: height * size, : width * size].reshape(height, size, width, size, -1)
    return windows.mean(axis=(1, 3)) if average else windows.max(axis=(1, 3))
