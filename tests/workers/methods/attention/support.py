"""A vision transformer of two tokens and a class token, in Keras and in NumPy, with the attention of each block replaced if asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from tests.contract.cases import examined_model
from tests.zoo import seeded
from workers.engine.probe import KerasProbe

Float64 = NDArray[np.float64]
BLOCKS, HEADS, KEY, CHANNELS = ("block1", "block2"), 2, 3, 4


def tiny_vit() -> keras.Model:
    """Return the model. Its photo (2, 4, 3) has two patches of 2 × 2, left and right."""
    photo = keras.Input((2, 4, 3), name="photo")
    x = layers.Reshape((2, CHANNELS), name="tokens")(layers.Conv2D(CHANNELS, 2, strides=2, name="patches")(photo))
    x = layers.ZeroPadding1D((1, 0), name="class_token")(x)
    for name in BLOCKS:
        normed = layers.LayerNormalization(name=f"{name}_norm1")(x)
        x = layers.Add(name=f"{name}_add1")([x, layers.MultiHeadAttention(HEADS, KEY, name=f"{name}_attention")(normed, normed)])
        hidden = layers.Dense(5, activation="gelu", name=f"{name}_hidden")(layers.LayerNormalization(name=f"{name}_norm2")(x))
        x = layers.Add(name=f"{name}_add2")([x, layers.Dense(CHANNELS, name=f"{name}_out")(hidden)])
    return seeded(keras.Model(photo, layers.Dense(3, activation="softmax", name="head")(x[:, 0])))


@cache
def tiny_probe() -> tuple[keras.Model, KerasProbe]:
    model = tiny_vit()
    return model, examined_model("tiny", model)[0]


def photos(n: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(8).normal(size=(n, 2, 4, 3)).astype(np.float32)


class NumpyVit:
    """The forward pass of `tiny_vit` in NumPy, float64, for one photo (2, 4, 3). `replaced` takes the place of computed attention."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model

    def __call__(self, photo: np.ndarray, replaced: Mapping[str, Float64] | None = None) -> tuple[Float64, dict[str, Float64]]:
        """Return the logits (3,), and the attention (heads, 3, 3) of each block by the path of its layer."""
        kernel, bias = self._of("patches")
        patches = [np.tensordot(photo[:, 2 * at : 2 * at + 2].astype(np.float64), kernel, 3) + bias for at in (0, 1)]
        x, attention = np.stack([np.zeros(CHANNELS), *patches]), dict[str, Float64]()
        for name in BLOCKS:
            path = f"{name}_attention"
            normed = self._normed(x, f"{name}_norm1")
            wq, bq, wk, bk, wv, bv, wo, bo = self._of(path)
            q, k, v = (np.einsum("tc,chd->htd", normed, w) + b[:, None] for w, b in ((wq, bq), (wk, bk), (wv, bv)))
            powers = np.exp(q @ k.transpose(0, 2, 1) / math.sqrt(KEY))
            attention[path] = (replaced or {}).get(path, powers / powers.sum(axis=-1, keepdims=True))
            x = x + np.einsum("htd,hdc->tc", attention[path] @ v, wo) + bo
            w1, b1, w2, b2 = *self._of(f"{name}_hidden"), *self._of(f"{name}_out")
            hidden = self._normed(x, f"{name}_norm2") @ w1 + b1
            gelu = hidden * (1 + np.vectorize(math.erf)(hidden / math.sqrt(2))) / 2
            x = x + gelu @ w2 + b2
        kernel, bias = self._of("head")
        return x[0] @ kernel + bias, attention

    def gradient(self, photo: np.ndarray, class_index: int, path: str, step: float = 1e-5) -> Float64:
        """Return ∂logit/∂attention of one layer by central differences. Later attention follows from what is replaced."""
        _, attention = self(photo)
        found = np.zeros_like(attention[path])
        for place in np.ndindex(*found.shape):
            ends = []
            for sign in (1, -1):
                changed = attention[path].copy()
                changed[place] += sign * step
                ends.append(self(photo, {path: changed})[0][class_index])
            found[place] = (ends[0] - ends[1]) / (2 * step)
        return found

    def _normed(self, x: Float64, name: str) -> Float64:
        gamma, beta = self._of(name)
        centred = x - x.mean(axis=-1, keepdims=True)
        return gamma * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-3) + beta

    def _of(self, name: str) -> list[Float64]:
        return [np.asarray(weight, np.float64) for weight in self._model.get_layer(name).get_weights()]
