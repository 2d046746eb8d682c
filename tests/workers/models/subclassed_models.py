"""Subclassed models as people write them, for tests that name them in the setting `custom_objects` by this module."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

MODULE = __name__


class PlainNet(keras.Model):
    """A classifier that calls each layer once."""

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.conv = layers.Conv2D(4, 3, activation="relu", name="conv")
        self.norm = layers.BatchNormalization(name="norm")
        self.drop = layers.Dropout(0.5, name="drop")
        self.scores = layers.Dense(classes, activation="softmax", name="scores")

    def call(self, x: Any, training: bool = False) -> Any:
        x = self.norm(self.conv(x / 64.0), training=training)
        return self.scores(self.drop(ops.mean(x, axis=(1, 2)), training=training))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes}


class ResidualBlock(keras.Model):
    """A block that is a model itself."""

    def __init__(self, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.conv = layers.Conv2D(channels, 3, padding="same", activation="relu", name="conv")

    def call(self, x: Any) -> Any:
        return x + self.conv(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "channels": self.channels}


class BlockNet(keras.Model):
    """A classifier of blocks; the first is called twice, on maps of two sizes. It has two inputs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stem = layers.Conv2D(4, 2, name="stem")
        self.first, self.second = ResidualBlock(4, name="first"), ResidualBlock(4, name="second")
        self.pool = layers.MaxPooling2D((2, 1), name="pool")
        self.scores = layers.Dense(3, name="scores")

    def call(self, inputs: Any) -> Any:
        photo, numbers = inputs
        x = self.first(self.pool(self.first(self.stem(photo))))
        x = ops.max(self.second(x), axis=(1, 2))
        return {"logits": self.scores(ops.concatenate([x, numbers], axis=-1))}


class TensorFlowNet(keras.Model):
    """Its `call` uses a function of TensorFlow, which does not take symbolic tensors."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv, self.scores = layers.Conv2D(4, 3, name="conv"), layers.Dense(2, name="scores")

    def call(self, x: Any) -> Any:
        return self.scores(ops.mean(self.rectified(self.conv(x)), axis=(1, 2)))

    def rectified(self, x: Any) -> Any:
        return tf.nn.crelu(x)


class ConcatenatedRelu(layers.Layer):
    """The step of `TensorFlowNet` that cannot be followed, as a layer."""

    def call(self, x: Any) -> Any:
        return tf.nn.crelu(x)


class AdvisedNet(TensorFlowNet):
    """`TensorFlowNet` with the advice of the error followed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step = ConcatenatedRelu(name="step")

    def rectified(self, x: Any) -> Any:
        return self.step(x)


class BranchingNet(TensorFlowNet):
    """Its `call` does something else for symbolic tensors."""

    def rectified(self, x: Any) -> Any:
        return x if isinstance(x, keras.KerasTensor) else 2 * x


class ScaledNet(TensorFlowNet):
    """It has a weight of its own, beside its layers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

    def rectified(self, x: Any) -> Any:
        return x * self.factor
