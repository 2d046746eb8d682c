"""The random transforms that gradient ascent applies to an image before each step."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.methods.synthesis.synthesis_size import SynthesisSize

Share = Annotated[float, Field(ge=0.05, le=1)]


class Transforms(BaseModel):
    """Random changes of the image before each step. They keep noise of high frequency from raising the objective. Zero turns one off.

    A transform can bring the surroundings of the image into view: first `pad` pixels of the image's mean colour, then the image again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pad: int = Field(default=0, ge=0, le=64, description="The image is surrounded by this many pixels of its mean colour.")
    jitter: int = Field(default=0, ge=0, le=64, description="The image is shifted at random by up to this many pixels in each direction.")
    scale: float = Field(default=0.0, ge=0, lt=1, description="The image is zoomed by a random factor from 1 - scale to 1 + scale.")
    rotate: float = Field(default=0.0, ge=0, le=180, description="The image is rotated at random by up to this many degrees either way.")
    crop: tuple[Share, Share] | None = Field(
        default=None,
        description="Each step sees only a random part of the transformed image. The two numbers are the smallest and the largest length "
        "of the part's sides, as a share (0.05-1) of the image's sides. If it is null, each step sees the whole image.",
    )
    view: SynthesisSize | None = Field(
        default=None,
        description="With `crop`, the part is resized to this many pixels a side, or to this (height, width). If it is null, it is resized "
        "to `size`, or to the input size that the target needs.",
    )
    noise: float = Field(
        default=0.0, ge=0, le=1, description="Normal noise with this σ is added to the image; the distance from black to white is 1."
    )

    @model_validator(mode="after")
    def _crop_and_view_agree(self) -> Transforms:
        if self.crop is not None and self.crop[0] > self.crop[1]:
            raise ValueError(f"crop goes from the smaller share to the larger, but got {self.crop[0]} and {self.crop[1]}")
        if self.view is not None and self.crop is None:
            raise ValueError("view is the size of a part of the image, so give crop too")
        return self
