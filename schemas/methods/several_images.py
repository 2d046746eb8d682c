"""The parameter of methods that read several uploaded images."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from schemas.errors import LimitExceeded
from schemas.images import IMAGES_ITEM_PATTERN, LONGEST_ADDRESS
from schemas.limits import MethodLimits
from schemas.methods.photo_fit import PhotoFitParams


class ImagesParams(PhotoFitParams):
    """Parameters of a method that reads several uploaded images.

    The card of such a method has `needs_image=False` if the request carries no further image of its own.
    """

    images: tuple[Annotated[str, Field(pattern=IMAGES_ITEM_PATTERN, max_length=LONGEST_ADDRESS)], ...] = Field(
        min_length=1,
        description=(
            "These are the ids of images that were uploaded with `POST /v1/images`. Each id may stand here once. The "
            "id of a set (`POST /v1/sets`) stands for the images of the set. The `https` address of an image may replace an id if the "
            "operator has turned that on. A form may carry the image files instead."
        ),
    )

    @field_validator("images")
    @classmethod
    def _each_once(cls, images: tuple[str, ...]) -> tuple[str, ...]:
        first: dict[str, int] = {}
        for number, image in enumerate(images):
            if first.setdefault(image, number) != number:
                raise ValueError(f"each image may stand here once, but number {number} is the same image as number {first[image]}")
        return images

    def check_count(self, limits: MethodLimits) -> None:
        """Raise `LimitExceeded` if there are more images than one job may read."""
        if len(self.images) > limits.max_images:
            raise too_many_images(limits, str(len(self.images)), "/params/images")


def too_many_images(limits: MethodLimits, got: str, pointer: str) -> LimitExceeded:
    """Return the error for a job with too many images.

    Args:
        got: how many there are, as text, because a form may only know "more than 256".
        pointer: the place of the images in the request.
    """
    return LimitExceeded(
        f"One job reads at most {limits.max_images:,} images, got {got}.",
        pointer=pointer,
        allowed=f"at most {limits.max_images}",
        got=got,
    )
