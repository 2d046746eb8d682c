"""The parameter of methods that read several uploaded images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, field_validator

from schemas.errors import LimitExceeded
from schemas.images import IMAGES_ITEM_PATTERN, LONGEST_ADDRESS
from schemas.limits import MethodLimits
from schemas.methods.photo_fit import PhotoFitParams


@dataclass(frozen=True)
class ImagePlace:
    """The place of an image in the parameters: a JSON pointer from the parameters on, and what errors call the image."""

    pointer: str
    label: str


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
        if (count := len(self.image_places())) > limits.max_images:
            raise too_many_images(limits, str(count), "/params/images")

    def image_places(self) -> dict[str, ImagePlace]:
        """Return the first place of each image, by its id or address, in the order of the parameters."""
        return {image: ImagePlace(f"/images/{number}", f"Image {number}") for number, image in enumerate(self.images)}

    def set_places(self) -> dict[str, str]:
        """Return the JSON pointer to each set that the parameters name by its id, from the parameters on."""
        return {image: f"/images/{number}" for number, image in enumerate(self.images) if image.startswith("set_")}

    def with_sets(self, found: Mapping[str, tuple[str, tuple[str, ...]]]) -> Self:
        """Return these parameters with images in the place of sets. An image that then stands there twice is read once.

        Args:
            found: the name of each set and the ids of its images, by the id of the set.
        """
        members = [image for each in self.images for image in (found[each][1] if each in found else (each,))]
        return self.changed(images=tuple(dict.fromkeys(members)))

    def with_uploads(self, ids: Mapping[str, str]) -> Self:
        """Return these parameters with uploads in the place of addresses. `ids` has the id of each upload by the address."""
        return self.changed(images=tuple(dict.fromkeys(ids.get(each, each) for each in self.images)))


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
