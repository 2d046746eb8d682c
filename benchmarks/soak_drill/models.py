"""The models of the soak: small classifiers that differ in size, depth and names of layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras

from tests.zoo import seeded

_SIDE_FILE = """
[preprocessing]
mode = "tf"
mean = [127.5]
std = [127.5]
"""


@dataclass(frozen=True)
class SoakModel:
    """A model of the soak. A height of None stands for an input of any size."""

    name: str
    height: int | None
    width: int | None
    channels: tuple[int, ...]

    @property
    def layers(self) -> list[str]:
        """The names of the convolutions, from which maps can be computed."""
        return [f"conv{number}" for number in range(len(self.channels))]


MODELS = (
    SoakModel("soak-a", 24, 20, (6, 8)),
    SoakModel("soak-b", 32, 32, (8, 8, 12)),
    SoakModel("soak-c", 48, 40, (4, 8)),
    SoakModel("soak-d", 64, 64, (8, 12, 16)),
    SoakModel("soak-e", 40, 56, (6, 6, 6, 6)),
    SoakModel("soak-any", None, None, (8, 8)),
)


def write_models(folder: Path) -> None:
    """Write the files of all models to a models folder."""
    for model in MODELS:
        inputs = keras.Input((model.height, model.width, 3), name="photo")
        x: keras.KerasTensor = inputs
        for number, channels in enumerate(model.channels):
            x = keras.layers.Conv2D(channels, 3, padding="same", activation="relu", name=f"conv{number}")(x)
            x = keras.layers.BatchNormalization(name=f"norm{number}")(x)
        x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
        network = keras.Model(inputs, keras.layers.Dense(5, activation="softmax", name="classes")(x))
        seeded(network).save(folder / f"{model.name}.keras")
        (folder / f"{model.name}.toml").write_text(_SIDE_FILE, "utf-8")
