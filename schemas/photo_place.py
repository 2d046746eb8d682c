"""The place of a map on the caller's photo."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

PhotoRectangle = tuple[float, float, float, float]


class PhotoPlace(BaseModel):
    """Says where a map lies on the photo, so that a client can draw it where the service draws it."""

    model_config = ConfigDict(frozen=True)

    area: PhotoRectangle = Field(
        description="The rectangle that the cells of the map cover together: top, left, height and width in pixels of the photo. It can "
        "reach beyond the photo, for example with fit `letterbox`."
    )
    seen: PhotoRectangle = Field(
        description="The part of the photo that the layer sees: top, left, height and width in pixels of the photo. Where it reaches "
        "beyond `area`, the outermost cells go on."
    )
    mirrored: tuple[bool, bool] = Field(
        default=(False, False), description="Whether the rows of the map, and its columns, are in the opposite order of the photo's."
    )
