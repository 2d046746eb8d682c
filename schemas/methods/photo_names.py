"""The parameter that gives names to the images of a method that reads several."""

from __future__ import annotations

from collections.abc import Set
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.images import IMAGE_ID_PATTERN
from schemas.methods.base import ONLY_DRAWN
from schemas.methods.several_images import ImagesParams

LONGEST_NAME = 100  # letters of the name of an image


class PhotoNamesParams(ImagesParams):
    """Parameters of a method whose picture names each of several images."""

    only_drawn: ClassVar[Set[str]] = ONLY_DRAWN | {"names"}

    names: dict[Annotated[str, Field(pattern=IMAGE_ID_PATTERN)], Annotated[str, Field(max_length=LONGEST_NAME)]] | None = Field(
        default=None,
        description=(
            "These are names for images, by their ids, which the picture shows. An image without a name is shown by its number in "
            "`images`, or by the beginning of its id. In a form with files, they are the files' names unless others are given."
        ),
    )

    def name_of(self, number: int) -> str | None:
        """Return the name of an image by its number in `images`, or None if it has none."""
        return (self.names or {}).get(self.images[number]) or None
