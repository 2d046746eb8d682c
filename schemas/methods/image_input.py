"""The parameters that say which input of a model is explained, and which channels of an array are shown as its picture."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.methods.photo_fit import PhotoFitParams

Band = Annotated[int, Field(ge=0, le=65535)]


class ShownBandsParams(PhotoFitParams):
    """Parameters of a method that takes an image."""

    bands: tuple[Band] | tuple[Band, Band, Band] | None = Field(
        default=None,
        description=(
            "These channels of an array are shown in its place: one as grey, or three as red, green and blue. They count from 0. If it is "
            "null, the model's settings decide, or else the first three are shown. A photo is shown as it is and takes no `bands`."
        ),
        examples=[[3, 2, 1]],
    )


class ExplainedInputParams(ShownBandsParams):
    """Parameters of a method that explains what a model sees in one of its image inputs."""

    input: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description=(
            "This is the name of the image input that is explained. Its image is the one that is shown. If it is null, the input that "
            "takes the photo is explained."
        ),
    )
