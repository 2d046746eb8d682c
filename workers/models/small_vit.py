"""Train a small vision transformer on the sample photos, so that the gallery has a model with attention.

`python -m workers.models.small_vit FOLDER NAME PHOTOS` writes the model file, its labels and its side file. This takes about two minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from jaxtyping import Float32
from keras import layers
from PIL import Image

LABELS = ("cat", "coffee", "rocket")
"""The photos `LABEL.jpg` show these things. A scene may have several of them, so that each class has a sigmoid of its own."""
SIDE, PATCH, CHANNELS, HEADS, BLOCKS = 96, 8, 64, 4, 4
_STEPS, _BATCH = 700, 32


def small_vit(side: int = SIDE) -> keras.Model:
    """Return an untrained vision transformer (Dosovitskiy et al., arXiv:2010.11929) with a class token.

    The class token is a token of zeros, and its vector and those of the positions are the bias of the layer `positions`.
    """
    photo = keras.Input((side, side, 3), name="photo")
    grid = side // PATCH
    x = layers.Conv2D(CHANNELS, PATCH, strides=PATCH, name="patches")(photo)
    x = layers.Reshape((grid * grid, CHANNELS), name="tokens")(x)
    before: Any = (1, 0)
    x = layers.ZeroPadding1D(before, name="class_token")(x)
    drawn: Any = keras.initializers.RandomNormal(stddev=0.02, seed=1)
    x = layers.EinsumDense(
        "btc,cd->btd", (grid * grid + 1, CHANNELS), bias_axes="td", kernel_initializer="identity", bias_initializer=drawn, name="positions"
    )(x)
    for number in range(1, BLOCKS + 1):
        name = f"block{number}"
        normed = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm1")(x)
        attended = layers.MultiHeadAttention(HEADS, CHANNELS // HEADS, name=f"{name}_attention")(normed, normed)
        x = layers.Add(name=f"{name}_add1")([x, attended])
        hidden = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm2")(x)
        hidden = layers.Dense(4 * CHANNELS, activation="gelu", name=f"{name}_hidden")(hidden)
        x = layers.Add(name=f"{name}_add2")([x, layers.Dense(CHANNELS, name=f"{name}_out")(hidden)])
    x = layers.LayerNormalization(epsilon=1e-6, name="norm")(x)
    return keras.Model(photo, layers.Dense(len(LABELS), activation="sigmoid", name="head")(x[:, 0]), name="small_vit")


def scenes(
    photos: dict[str, Image.Image], count: int, rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "n H W 3"], Float32[np.ndarray, "n classes"]]:
    """Return scenes in the range −1 to 1: parts of some photos, each at a random place over a background of noise; and what they show."""
    images, present = [], (rng.random((count, len(LABELS))) < 0.5).astype(np.float32)
    for shown in present:
        noise = Image.fromarray(rng.integers(0, 256, (*rng.integers(2, 25, 2), 3), np.uint8))
        scene = noise.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        for index in rng.permutation(np.flatnonzero(shown)):
            height, width = rng.integers(32, 73 if shown.sum() > 1 else SIDE + 1, 2)
            top, left = rng.integers(0, SIDE - height + 1), rng.integers(0, SIDE - width + 1)
            scene.paste(_part(photos[LABELS[index]], int(height), int(width), rng), (int(left), int(top)))
        images.append(np.asarray(scene, np.float32) / 127.5 - 1)
    return np.stack(images), present


def _part(photo: Image.Image, height: int, width: int, rng: np.random.Generator) -> Image.Image:
    """Return a random part of the middle of a photo, perhaps mirrored, at this size."""
    columns, rows = photo.size
    share = rng.uniform(0.5, 0.9)
    left, top = columns * (0.5 - share / 2 + rng.uniform(-0.05, 0.05)), rows * (0.5 - share / 2 + rng.uniform(-0.05, 0.05))
    box = (left, top, left + columns * share, top + rows * share)
    found = photo.resize((width, height), Image.Resampling.BILINEAR, box=box)
    return found.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else found


def trained(photos: Path, steps: int = _STEPS) -> keras.Model:
    """Return a vision transformer that knows the things in `cat.jpg`, `coffee.jpg` and `rocket.jpg` of a folder."""
    keras.utils.set_random_seed(0)
    model, rng = small_vit(), np.random.default_rng(0)
    shown = {label: Image.open(photos / f"{label}.jpg").convert("RGB") for label in LABELS}
    rate: Any = keras.optimizers.schedules.CosineDecay(1e-5, steps, warmup_target=1e-3, warmup_steps=steps // 10)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=0.01), "binary_crossentropy")
    for _ in range(steps):
        model.train_on_batch(*scenes(shown, _BATCH, rng))
    return model


def write_small_vit(folder: Path, name: str, photos: Path) -> None:
    """Train the model and write NAME.keras, NAME.txt and NAME.toml into a folder."""
    trained(photos).save(folder / f"{name}.keras")
    (folder / f"{name}.txt").write_text("\n".join(LABELS), "utf-8")
    (folder / f"{name}.toml").write_text(f'labels = "{name}.txt"\npreprocessing = "tf"\n')


if __name__ == "__main__":
    write_small_vit(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
