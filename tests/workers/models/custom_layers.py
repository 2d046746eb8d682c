"""Layers of one's own, as people write them: those of keras.io's vision transformer and of ConvNeXt, and functions.

Tests name them in the setting `custom_objects` by this module.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

MODULE = __name__
VIT = (f"{MODULE}:Patches", f"{MODULE}:PatchEncoder")
CONVNEXT = (f"{MODULE}:ScaledChannels", f"{MODULE}:DroppedPath")
FUNCTIONS = (f"{MODULE}:squashed", f"{MODULE}:centred")
WEIGHT_STANDARDISED = (f"{MODULE}:StandardisedConv",)


class Patches(layers.Layer):
    """The layer of https://keras.io/examples/vision/image_classification_with_vision_transformer/, with arguments for its base class."""

    def __init__(self, patch_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.patch_size = patch_size

    def call(self, images: Any) -> Any:
        batch, height, width, channels = ops.shape(images)
        patches = ops.image.extract_patches(images, size=self.patch_size)
        count = (height // self.patch_size) * (width // self.patch_size)
        return ops.reshape(patches, (batch, count, self.patch_size * self.patch_size * channels))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "patch_size": self.patch_size}


class PatchEncoder(layers.Layer):
    """The other layer of that example."""

    def __init__(self, num_patches: int, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_patches, self.projection_dim = num_patches, projection_dim
        self.projection = layers.Dense(units=projection_dim)
        self.position_embedding = layers.Embedding(input_dim=num_patches, output_dim=projection_dim)

    def call(self, patch: Any) -> Any:
        positions = ops.expand_dims(ops.arange(start=0, stop=self.num_patches, step=1), axis=0)
        return self.projection(patch) + self.position_embedding(positions)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_patches": self.num_patches, "projection_dim": self.projection_dim}


@keras.saving.register_keras_serializable(package="mine")
class ScaledChannels(layers.Layer):
    """The layer scale of ConvNeXt (arXiv:2201.03545), registered under a package."""

    def __init__(self, start: float, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start, self.channels = start, channels

    def build(self, _: Any) -> None:
        self.gamma = self.add_weight(shape=(self.channels,), initializer=keras.initializers.Constant(self.start), name="gamma")

    def call(self, x: Any) -> Any:
        return x * self.gamma

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "start": self.start, "channels": self.channels}


class DroppedPath(layers.Layer):
    """The stochastic depth of ConvNeXt: in inference it changes nothing."""

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate

    def call(self, x: Any, training: bool | None = None) -> Any:
        if not training:
            return x
        keep = ops.cast(keras.random.uniform((ops.shape(x)[0], 1, 1, 1)) > self.rate, x.dtype)
        return x * keep / (1 - self.rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


class StandardisedConv(layers.Conv2D):
    """A convolution whose kernels have the mean 0 and the deviation 1 (arXiv:1903.10520). Its kernel cannot be scaled."""

    def call(self, inputs: Any) -> Any:
        kernel = self.kernel - ops.mean(self.kernel, axis=(0, 1, 2), keepdims=True)
        kernel = kernel / (ops.std(kernel, axis=(0, 1, 2), keepdims=True) + 1e-5)
        y = ops.conv(inputs, kernel, strides=self.strides, padding=self.padding)
        return self.activation(y + self.bias)


def squashed(x: Any) -> Any:
    """Return x / (1 + |x|). It is an activation of one's own."""
    return x / (1 + ops.abs(x))


def centred(x: Any) -> Any:
    """Return x / 127.5 − 1. It stands in a Lambda layer."""
    return x / 127.5 - 1


def keras_io_vit() -> keras.Model:
    """Return a small vision transformer for 24 × 18 pixels, built like that of keras.io, with 4 × 3 patches of 6 × 6 pixels."""
    inputs = keras.Input((24, 18, 3))
    augmented = layers.RandomFlip("horizontal")(layers.Normalization(mean=[120.0] * 3, variance=[3000.0] * 3)(inputs))
    encoded = PatchEncoder(12, 8, name="encoder")(Patches(6, name="patches")(augmented))
    for number in range(2):
        x1 = layers.LayerNormalization(epsilon=1e-6, name=f"block{number}_norm")(encoded)
        attention = layers.MultiHeadAttention(num_heads=2, key_dim=8, dropout=0.1)(x1, x1)
        x2 = layers.Add()([attention, encoded])
        x3 = layers.LayerNormalization(epsilon=1e-6)(x2)
        for units in (16, 8):
            x3 = layers.Dropout(0.1)(layers.Dense(units, activation=keras.activations.gelu)(x3))
        encoded = layers.Add()([x3, x2])
    representation = layers.Flatten()(layers.LayerNormalization(epsilon=1e-6, name="norm")(encoded))
    features = layers.Dropout(0.5)(layers.Dense(16, activation=keras.activations.gelu)(layers.Dropout(0.5)(representation)))
    return keras.Model(inputs, layers.Dense(5)(features))


def convnext_like() -> keras.Model:
    """Return a model for 25 × 18 pixels of two ConvNeXt blocks, with layers of one's own."""
    inputs = keras.Input((25, 18, 3))
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(6, 4, strides=3, name="stem")(layers.Rescaling(1 / 64, -2)(inputs)))
    for number in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(layers.DepthwiseConv2D(3, padding="same")(x))
        y = layers.Dense(6)(layers.Dense(12, activation="gelu")(y))
        y = DroppedPath(0.1)(ScaledChannels(0.7, 6)(y))
        x = layers.Add(name=f"block{number}")([x, y])
    x = layers.LayerNormalization(epsilon=1e-6)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(4, activation="softmax")(x))


def with_functions() -> keras.Model:
    """Return a model for 11 × 8 pixels with a function of one's own as an activation and another in a Lambda layer."""
    inputs = keras.Input((11, 8, 3))
    x = layers.Conv2D(4, 3, activation=squashed, name="conv")(layers.Lambda(centred, name="centre")(inputs))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def weight_standardised() -> keras.Model:
    """Return a model for 11 × 8 pixels whose convolution is one's own and stands before a batch norm."""
    inputs = keras.Input((11, 8, 3))
    x = layers.BatchNormalization(name="norm")(StandardisedConv(4, 3, strides=2, name="conv")(inputs))
    x = layers.ReLU(name="relu")(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
