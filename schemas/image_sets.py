"""Define a named set of uploads, as requests and answers of `/v1/sets` show it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.images import IMAGE_ID_PATTERN

SET_ID_PATTERN = r"^set_[0-7][0-9A-HJKMNP-TV-Z]{25}$"


class ImageSetRequest(BaseModel):
    """The order for a new set of uploads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=128, description="A name of the caller's own. Several sets may have one name.")
    images: tuple[Annotated[str, Field(pattern=IMAGE_ID_PATTERN)], ...] = Field(
        min_length=1, description="The ids of uploads, in the order in which methods read them. Each may stand here once."
    )

    @field_validator("images")
    @classmethod
    def _each_once(cls, images: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(images)) != len(images):
            raise ValueError("each image may stand here once")
        return images


class ImageSet(BaseModel):
    """A named set of uploads."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(pattern=SET_ID_PATTERN, description="The set's id. It may stand among the `images` of a method.")
    name: str = Field(description="The name that the caller gave the set.")
    images: tuple[str, ...] = Field(description="The ids of its uploads, in order.")
    created_at: datetime = Field(description="The time when the set was made.")
    expires_at: datetime = Field(description="The set lives until this time, and its images as long. Each job that names the set moves it.")


class ImageSetPage(BaseModel):
    """A page of the caller's sets, newest first."""

    model_config = ConfigDict(frozen=True)

    items: tuple[ImageSet, ...] = Field(description="The sets of this page.")
    next_cursor: str | None = Field(description="Send it as `cursor` to get the next page. It is null on the last page.")


def set_url(set_id: str) -> str:
    """Return the path of a set, for example `/v1/sets/set_01K5YQZ7T8Y1W4V9N3M2XQJ6RD`."""
    return f"/v1/sets/{set_id}"
