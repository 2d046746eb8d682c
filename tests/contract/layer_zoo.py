"""A small model for each layer of `keras.layers`, and for each way to put layers together. No map is square.

`AFTER_CONV` holds what follows a convolution with maps (11, 7, 4), and `ON_PHOTOS` what stands before it and reads a photo (13, 9, 3) of
0-255. Ways to put layers together are in `structure_zoo`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

HEIGHT, WIDTH = 13, 9
TOKENS = (77, 4)
VOLUME = (11, 7, 2, 2)

Block = Callable[[Any], Any]


def tokens(*blocks: Any) -> Block:
    """Return a block that gives the layers the positions of the map as a sequence (77, 4)."""
    return chain(layers.Reshape(TOKENS), *blocks)


def volume(*blocks: Any) -> Block:
    """Return a block that gives the layers the map as a volume (11, 7, 2, 2)."""
    return chain(layers.Reshape(VOLUME), *blocks)


def chain(*blocks: Any) -> Block:
    def call(x: Any) -> Any:
        for block in blocks:
            x = block(x)
        return x

    return call


def _two(merge: Any) -> Block:
    return lambda x: merge([x, layers.Conv2D(4, 1)(x)])


def _attend(layer: Any, *, query_first: bool = True) -> Block:
    def call(x: Any) -> Any:
        x = layers.Reshape(TOKENS)(x)
        return layer(x, x) if query_first else layer([x, x])

    return call


def _whole_numbers(layer: Any) -> Block:
    """Return a block in which a layer without gradients reads rounded values, beside the map itself."""
    return lambda x: layers.Concatenate()([layers.Flatten()(x), layers.Flatten()(layer(ops.cast(ops.clip(x, 0, 5), "int32")))])


def _beside(layer: Any) -> Block:
    return lambda x: layers.Concatenate()([layers.Flatten()(x), layers.Flatten()(ops.cast(layer(x), "float32"))])


AFTER_CONV: dict[str, Callable[[], Block]] = {
    "Conv1D": lambda: tokens(layers.Conv1D(3, 5, strides=2)),
    "Conv2D": lambda: layers.Conv2D(3, (3, 2), dilation_rate=(2, 1), groups=1, activation="tanh"),
    "Conv3D": lambda: volume(layers.Conv3D(3, (3, 2, 2))),
    "Conv1DTranspose": lambda: tokens(layers.Conv1DTranspose(3, 3, strides=2)),
    "Conv2DTranspose": lambda: layers.Conv2DTranspose(3, (3, 2), strides=(2, 1)),
    "Conv3DTranspose": lambda: volume(layers.Conv3DTranspose(3, 2)),
    "DepthwiseConv1D": lambda: tokens(layers.DepthwiseConv1D(3, depth_multiplier=2)),
    "DepthwiseConv2D": lambda: layers.DepthwiseConv2D((3, 2), depth_multiplier=2),
    "SeparableConv1D": lambda: tokens(layers.SeparableConv1D(3, 3)),
    "SeparableConv2D": lambda: layers.SeparableConv2D(3, (2, 3)),
    "MaxPooling1D": lambda: tokens(layers.MaxPooling1D(3)),
    "MaxPooling2D": lambda: layers.MaxPooling2D((2, 3)),
    "MaxPooling3D": lambda: volume(layers.MaxPooling3D((2, 1, 2))),
    "AveragePooling1D": lambda: tokens(layers.AveragePooling1D(3)),
    "AveragePooling2D": lambda: layers.AveragePooling2D((2, 1), padding="same"),
    "AveragePooling3D": lambda: volume(layers.AveragePooling3D((2, 1, 2))),
    "GlobalMaxPooling1D": lambda: tokens(layers.GlobalMaxPooling1D()),
    "GlobalMaxPooling2D": layers.GlobalMaxPooling2D,
    "GlobalMaxPooling3D": lambda: volume(layers.GlobalMaxPooling3D()),
    "GlobalAveragePooling1D": lambda: tokens(layers.GlobalAveragePooling1D()),
    "GlobalAveragePooling2D": lambda: layers.GlobalAveragePooling2D(keepdims=True),
    "GlobalAveragePooling3D": lambda: volume(layers.GlobalAveragePooling3D()),
    "AdaptiveAveragePooling1D": lambda: tokens(layers.AdaptiveAveragePooling1D(5)),
    "AdaptiveAveragePooling2D": lambda: layers.AdaptiveAveragePooling2D((3, 2)),
    "AdaptiveMaxPooling1D": lambda: tokens(layers.AdaptiveMaxPooling1D(5)),
    "AdaptiveMaxPooling2D": lambda: layers.AdaptiveMaxPooling2D((3, 2)),
    "BatchNormalization": layers.BatchNormalization,
    "LayerNormalization": lambda: layers.LayerNormalization(axis=[1, 2]),
    "GroupNormalization": lambda: layers.GroupNormalization(2),
    "UnitNormalization": layers.UnitNormalization,
    "RMSNormalization": layers.RMSNormalization,
    "SpectralNormalization": lambda: layers.SpectralNormalization(layers.Conv2D(3, 2)),
    "ReLU": lambda: layers.ReLU(max_value=2.0, negative_slope=0.1),
    "LeakyReLU": layers.LeakyReLU,
    "PReLU": lambda: layers.PReLU(shared_axes=[1, 2]),
    "ELU": layers.ELU,
    "Softmax": lambda: layers.Softmax(axis=1),
    "Activation": lambda: chain(*(layers.Activation(name) for name in ("hard_silu", "mish", "celu", "softsign", "hard_sigmoid"))),
    "LSTM": lambda: tokens(layers.LSTM(3, return_sequences=True)),
    "GRU": lambda: tokens(layers.GRU(3)),
    "SimpleRNN": lambda: tokens(layers.SimpleRNN(3)),
    "RNN": lambda: tokens(layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)])),
    "Bidirectional": lambda: tokens(layers.Bidirectional(layers.LSTM(3))),
    "TimeDistributed": lambda: volume(layers.TimeDistributed(layers.Conv2D(3, 2))),
    "ConvLSTM1D": lambda: chain(layers.ConvLSTM1D(3, 2)),
    "ConvLSTM2D": lambda: volume(layers.ConvLSTM2D(3, 2)),
    "ConvLSTM3D": lambda: chain(layers.Reshape((11, 7, 2, 2, 1)), layers.ConvLSTM3D(2, 1)),
    "MultiHeadAttention": lambda: _attend(layers.MultiHeadAttention(2, 3)),
    "GroupedQueryAttention": lambda: _attend(layers.GroupQueryAttention(3, 4, 2)),
    "Attention": lambda: _attend(layers.Attention(use_scale=True), query_first=False),
    "AdditiveAttention": lambda: _attend(layers.AdditiveAttention(), query_first=False),
    "Add": lambda: _two(layers.Add()),
    "Subtract": lambda: _two(layers.Subtract()),
    "Multiply": lambda: _two(layers.Multiply()),
    "Average": lambda: _two(layers.Average()),
    "Maximum": lambda: _two(layers.Maximum()),
    "Minimum": lambda: _two(layers.Minimum()),
    "Concatenate": lambda: _two(layers.Concatenate(axis=1)),
    "Dot": lambda: chain(layers.Reshape(TOKENS), lambda x: layers.Dot(axes=1)([x, x])),
    "Flatten": layers.Flatten,
    "Reshape": lambda: layers.Reshape((-1, 2)),
    "Permute": lambda: layers.Permute((2, 3, 1)),
    "RepeatVector": lambda: chain(layers.Flatten(), layers.RepeatVector(2)),
    "Cropping1D": lambda: tokens(layers.Cropping1D((3, 1))),
    "Cropping2D": lambda: layers.Cropping2D(((1, 2), (0, 3))),
    "Cropping3D": lambda: volume(layers.Cropping3D((1, 2, 0))),
    "ZeroPadding1D": lambda: tokens(layers.ZeroPadding1D(2)),
    "ZeroPadding2D": lambda: layers.ZeroPadding2D(((1, 0), (0, 2))),
    "ZeroPadding3D": lambda: volume(layers.ZeroPadding3D(1)),
    "UpSampling1D": lambda: tokens(layers.UpSampling1D(2)),
    "UpSampling2D": lambda: layers.UpSampling2D((2, 1), interpolation="bilinear"),
    "UpSampling3D": lambda: volume(layers.UpSampling3D((1, 2, 1))),
    "Dropout": lambda: layers.Dropout(0.5),
    "AlphaDropout": lambda: layers.AlphaDropout(0.5),
    "GaussianDropout": lambda: layers.GaussianDropout(0.5),
    "GaussianNoise": lambda: layers.GaussianNoise(0.5),
    "SpatialDropout1D": lambda: tokens(layers.SpatialDropout1D(0.5)),
    "SpatialDropout2D": lambda: layers.SpatialDropout2D(0.5),
    "SpatialDropout3D": lambda: volume(layers.SpatialDropout3D(0.5)),
    "ActivityRegularization": lambda: layers.ActivityRegularization(l2=0.1),
    "Dense": lambda: layers.Dense(3, activation="gelu"),
    "EinsumDense": lambda: layers.EinsumDense("nhwc,ck->nhwk", (11, 7, 3), bias_axes="k"),
    "Identity": layers.Identity,
    "Masking": lambda: tokens(layers.Masking(), layers.GRU(3)),
    "ReversibleEmbedding": lambda: _whole_numbers(layers.ReversibleEmbedding(6, 2)),
    "Embedding": lambda: _whole_numbers(layers.Embedding(6, 2)),
    "CategoryEncoding": lambda: _whole_numbers(chain(layers.Flatten(), layers.CategoryEncoding(6, output_mode="multi_hot"))),
    "HashedCrossing": lambda: _whole_numbers(chain(layers.Flatten(), lambda x: layers.HashedCrossing(5)([x[:, :1], x[:, 1:2]]))),
    "Hashing": lambda: _whole_numbers(layers.Hashing(4)),
    "Discretization": lambda: _beside(layers.Discretization(bin_boundaries=[-1.0, 0.0, 1.0])),
    "MelSpectrogram": lambda: chain(
        layers.Flatten(), layers.MelSpectrogram(fft_length=32, sequence_stride=16, sampling_rate=64, num_mel_bins=5, min_freq=1)
    ),
}

ON_PHOTOS: dict[str, Callable[[], Block]] = {
    "Rescaling": lambda: layers.Rescaling([1 / 9, 1 / 8, 1 / 7], offset=-1),
    "Normalization": lambda: layers.Normalization(mean=[120.0, 110.0, 100.0], variance=[9.0, 8.0, 7.0]),
    "Resizing": lambda: layers.Resizing(17, 12, interpolation="bicubic"),
    "CenterCrop": lambda: layers.CenterCrop(11, 8),
    "Pipeline": lambda: layers.Pipeline([layers.RandomFlip(), layers.Rescaling(1 / 9)]),
    "RandAugment": lambda: layers.RandAugment((0, 255)),
    "Solarization": lambda: layers.Solarization(value_range=(0, 255)),
    **{
        name: (lambda name=name: getattr(layers, name)(value_range=(0, 255)))
        for name in ("AugMix", "AutoContrast", "Equalization", "RandomColorJitter")
    },
    **{
        name: (lambda name=name: getattr(layers, name)(0.3))
        for name in ("RandomBrightness", "RandomContrast", "RandomRotation", "RandomZoom")
    },
    **{
        name: (lambda name=name: getattr(layers, name)(0.3, value_range=(0, 255)))
        for name in ("RandomColorDegeneration", "RandomHue", "RandomSaturation", "RandomSharpness")
    },
    "RandomPosterization": lambda: layers.RandomPosterization(4, value_range=(0, 255)),
    "RandomTranslation": lambda: layers.RandomTranslation(0.2, 0.1),
    **{
        name: (lambda name=name: getattr(layers, name)())
        for name in ("RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomInvert")
    },
    "RandomPerspective": lambda: layers.RandomPerspective(0.5),
    "ContrastLimitedAdaptiveHistogramEqualization": lambda: layers.ContrastLimitedAdaptiveHistogramEqualization((0, 255)),
}

NOT_IN_IMAGE_MODELS: dict[str, str] = {
    "AdaptiveAveragePooling3D": "Plain Keras 3.15 cannot call it in a graph: it subtracts a window from a smaller side.",
    "RandomCrop": "Plain Keras 3.15 gives another size in inference than it declares.",
    "RandomShear": "Plain Keras 3.15 cannot read its own configuration back.",
    "STFTSpectrogram": "It needs SciPy, which is not installed.",
    "AdaptiveMaxPooling3D": "On a CPU it ends the process with a floating-point exception, in plain Keras 3.15 too.",
    "CutMix": "It reads images with labels, for training alone.",
    "MixUp": "It reads images with labels, for training alone.",
    "MaxNumBoundingBoxes": "It reads bounding boxes.",
    "IntegerLookup": "The guards refuse it: its vocabulary can be a file or an address.",
    "StringLookup": "It reads texts.",
    "TextVectorization": "It reads texts.",
    "GRUCell": "It is a part of RNN.",
    "LSTMCell": "It is a part of RNN.",
    "SimpleRNNCell": "It is a part of RNN.",
    "StackedRNNCells": "It is a part of RNN.",
    "InputLayer": "Every model has one.",
    "InputSpec": "It is no layer.",
    "Layer": "It is the base class.",
    "Wrapper": "It is a base class.",
    "Lambda": "It brings its own code and is refused.",
    "TFSMLayer": "It brings its own code and is refused.",
    "TorchModuleWrapper": "It brings its own code and is refused.",
    "JaxLayer": "It brings its own code and is refused.",
    "FlaxLayer": "It brings its own code and is refused.",
}
"""The layers of Keras that have no model here, with the reasons."""


def with_layer(name: str) -> keras.Model:
    """Return a classifier of 5 classes for 13 × 9 pixels of 0-255 that has this layer, after or before the convolution `conv`."""
    photo = x = keras.Input((HEIGHT, WIDTH, 3), name="photo")
    x = ON_PHOTOS[name]()(x) if name in ON_PHOTOS else layers.Rescaling(1 / 64, offset=-2)(x)
    x = layers.Conv2D(4, 3, name="conv")(x)
    x = layers.Flatten(name="flat")(AFTER_CONV[name]()(x) if name in AFTER_CONV else x)
    return keras.Model(photo, layers.Dense(5, activation="softmax", name="scores")(x), name="tried")
