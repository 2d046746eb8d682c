"""The presets of filter synthesis: the numbers that each source uses."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.methods.synthesis.parametrisations import ParametrisationName
from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms

FilterPreset = Literal["lucid", "maco", "dlwp1", "dlwp2", "keras_blog", "keras_io"]


class PresetNumbers(BaseModel):
    """The values that a preset gives to parameters which the caller left null.

    Attributes:
        count: The number of channels, if the caller names none.
        columns: Tiles in a row of the grid. None stands for about as many as there are rows.
        size_alone: Side of the image in pixels if only one channel is asked for. None stands for `size`.
        crop: Pixels that are cut off each border of a finished image.
    """

    model_config = ConfigDict(frozen=True)

    count: int
    parametrisation: ParametrisationName
    size: int
    steps: int
    learning_rate: float
    transforms: Transforms = Transforms()
    regularisers: Regularisers = Regularisers()
    columns: int | None = None
    size_alone: int | None = None
    crop: int = 0


PRESETS: dict[FilterPreset, PresetNumbers] = {
    "lucid": PresetNumbers(
        count=16,
        parametrisation="fourier",
        size=128,
        steps=128,
        learning_rate=0.05,
        transforms=Transforms(pad=12, jitter=12, scale=0.2, rotate=15),
    ),
    "maco": PresetNumbers(
        count=16,
        parametrisation="phase",
        size=224,
        steps=320,
        learning_rate=0.1,
        transforms=Transforms(crop=(0.5, 1.0), view=128, noise=0.05),
    ),
    "dlwp1": PresetNumbers(count=64, parametrisation="pixel", size=64, steps=40, learning_rate=1.0, columns=8, size_alone=150),
    "dlwp2": PresetNumbers(count=64, parametrisation="pixel", size=200, steps=30, learning_rate=10.0, columns=8, crop=25),
    "keras_blog": PresetNumbers(count=200, parametrisation="pixel", size=128, steps=20, learning_rate=1.0, columns=8),
    "keras_io": PresetNumbers(count=64, parametrisation="pixel", size=180, steps=30, learning_rate=10.0, columns=8, crop=25),
}
