"""What `filters` can be told to do to images between steps, and the presets' numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

FilterPreset = Literal["lucid", "maco", "dlwp1", "dlwp2", "keras_blog", "keras_io"]
Parametrised = Literal["pixel", "fourier", "phase"]
Share = Annotated[float, Field(ge=0.05, le=1)]


class Transforms(BaseModel):
    """Random changes of the image before each step, which keep high-frequency noise from paying off. Zero is off.

    They bring into view what surrounds the image: `pad` pixels of mean colour, and beyond those the image again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pad: int = Field(default=0, ge=0, le=64, description="Pixels of mean colour around the image.")
    jitter: int = Field(default=0, ge=0, le=64, description="Random shift, up to so many pixels, in each direction.")
    scale: float = Field(default=0.0, ge=0, lt=1, description="Random zoom by a factor from 1 - scale to 1 + scale.")
    rotate: float = Field(default=0.0, ge=0, le=180, description="Random rotation up to so many degrees either way.")
    crop: tuple[Share, Share] | None = Field(
        default=None, description="Each step sees only a part of the image, as it is then: its sides a share from … to … of the image's."
    )
    view: int | None = Field(
        default=None, ge=16, description="With `crop`: side, pixels, the part is resized to; null: `size`, or what the target needs."
    )
    noise: float = Field(default=0.0, ge=0, le=1, description="σ of normal noise that is added, black to white being 1.")

    @model_validator(mode="after")
    def _crop_whole(self) -> Transforms:
        if self.crop is not None and self.crop[0] > self.crop[1]:
            raise ValueError(f"crop goes from the smaller share to the larger, got {self.crop[0]} and {self.crop[1]}")
        if self.view is not None and self.crop is None:
            raise ValueError("view is the size of a part of the image: give crop too")
        return self


class Regularisers(BaseModel):
    """Penalties subtracted from the objective (their weights), and blur. Zero is off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    l1: float = Field(default=0.0, ge=0, description="Weight of the mean absolute distance from mid-grey, in input units.")
    l2: float = Field(default=0.0, ge=0, description="Weight of the mean squared distance from mid-grey.")
    total_variation: float = Field(default=0.0, ge=0, description="Weight of the mean absolute difference of neighbouring pixels.")
    blur: float = Field(
        default=0.0, ge=0, le=8, description="σ in pixels of a Gaussian blur of the image after every fourth step (`pixel` only)."
    )


class PresetNumbers(BaseModel):
    """What a preset fixes of the parameters a caller may also give."""

    model_config = ConfigDict(frozen=True)

    count: int
    parametrisation: Parametrised
    size: int
    steps: int
    learning_rate: float
    transforms: Transforms = Transforms()
    regularisers: Regularisers = Regularisers()
    columns: int | None = None
    size_alone: int | None = None  # where one channel is asked for
    crop: int = 0  # cut off each border of a finished image


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
