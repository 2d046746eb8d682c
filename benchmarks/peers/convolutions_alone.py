"""The convolutions that an ascent needs, and nothing else: how fast an ascent could be at best with TensorFlow's convolutions.

For `filters`, these are the convolutions of VGG16 up to the layer, and for each of them the gradient with respect to its input. The last
one computes only the channels that are asked for, because an ascent does not need the others. There is no ReLU, pooling, bias or
objective, and the images are not updated. All convolutions are in one compiled function, which is called once for each step with all
images. Nothing else that was tried was faster: fewer images in a call, chains in which a convolution takes the result of the one before it,
and a function for each convolution.

The module belongs to convscope's process, so that both have the same TensorFlow and the same threads. The ratio says which share of
convscope's time the convolutions take. The results are no pictures, so nothing is compared with them during a run; a test compares them
with sums that are made by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from benchmarks.peers.offers import Call, Setup, offers
from benchmarks.peers.shared_models import headless_vgg
from benchmarks.peers.work import FILTERS_LAYER, FILTERS_SIDE, Given, PeerWork

_NAME = "the convolutions alone"


class LoneConvolution(NamedTuple):
    """A convolution with stride 1 that keeps the sides.

    Args:
        kernel: (height, width, channels in, channels out).
        inputs: the shape (n, h, w, channels in) of its input.
    """

    kernel: Any
    inputs: tuple[int, ...]

    @property
    def outputs(self) -> tuple[int, ...]:
        """The shape (n, h, w, channels out) of its output."""
        return (*self.inputs[:-1], self.kernel.shape[-1])


def convolutions_of(model: keras.Model, last: str, side: int, images: int) -> list[LoneConvolution]:
    """Return the convolutions from the input (images, side, side, 3) to the layer `last`, which keeps its first `images` channels.

    The layers of the model are a chain, as those of VGG16 are, and their convolutions have stride 1 and keep the sides.

    Raises:
        ValueError: the model has no such layer.
    """
    found: list[LoneConvolution] = []
    shape: tuple[int, ...] = (images, side, side, 3)
    for layer in model.layers[1:]:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = layer.kernel.numpy()
            found.append(LoneConvolution(kernel[..., :images] if layer.name == last else kernel, shape))
        shape = tuple(layer.compute_output_shape(shape))
        if layer.name == last:
            return found
    raise ValueError(f"The model has no layer '{last}'.")


def compiled_step(convolutions: Sequence[LoneConvolution], dtype: tf.DType) -> Callable[[Sequence[Any], Sequence[Any]], list[Any]]:
    """Return `step(inputs, gradients)`, which computes each convolution once, and its gradient with respect to its input once.

    `inputs` and `gradients` are tensors of the shapes `inputs` and `outputs` of the convolutions, in `dtype`. The step returns the first
    value of each result, first of a convolution and then of its gradient: TensorFlow leaves out what nobody uses.
    """

    def step(inputs: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
        values: list[Any] = []
        for convolution, given, gradient in zip(convolutions, inputs, gradients, strict=True):
            kernel, sizes = tf.constant(convolution.kernel, dtype), tf.constant(convolution.inputs)
            forward = tf.nn.conv2d(given, kernel, 1, "SAME")
            backward = tf.nn.conv2d_transpose(gradient, kernel, sizes, 1, "SAME")
            values += [forward[0, 0, 0, 0], backward[0, 0, 0, 0]]
        return values

    return tf.function(step, autograph=False)


def _set_up(work: PeerWork, given: Given, dtype: tf.DType) -> Call:
    convolutions = convolutions_of(headless_vgg(given), FILTERS_LAYER, FILTERS_SIDE, work.images)
    step = compiled_step(convolutions, dtype)
    inputs = [tf.cast(tf.random.normal(one.inputs), dtype) for one in convolutions]
    gradients = [tf.cast(tf.random.normal(one.outputs), dtype) for one in convolutions]

    def call() -> object:
        return [[float(value) for value in step(inputs, gradients)] for _ in range(work.amount)]

    return call


def _offer(name: str, dtype: tf.DType) -> Setup:
    return offers("filters", name)(lambda work, given: _set_up(work, given, dtype))


for _name, _dtype in ((_NAME, tf.float32), (f"{_NAME}, bfloat16", tf.bfloat16)):
    _offer(_name, _dtype)
