"""The parameter that says where the object lies in each of several photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.methods.several_images import ImagePlace, ImagesParams
from schemas.methods.targets import BoxRegion, MaskRegion, mask_image


class PhotoRegionsParams(ImagesParams):
    """Parameters of a method that compares each of its photos with a region of it."""

    regions: tuple[BoxRegion | MaskRegion, ...] | None = Field(
        default=None,
        description=(
            "These say where the object lies, one for each image in the order of `images`: a `box` (top, left, height, width) in pixels of "
            "the photo, or a `mask`, the id of an uploaded image of the photo's size. The limits of `images` hold for images and masks "
            "together. A form takes it as JSON."
        ),
        examples=[[{"box": [40, 60, 120, 90]}]],
    )

    def check_region_count(self) -> None:
        """Raise `InvalidParameters` if there are regions, and not as many as images."""
        if self.regions is not None and len(self.regions) != len(self.images):
            raise InvalidParameters(
                f"There are {len(self.images)} images, so give as many regions; got {len(self.regions)}.",
                pointer="/params/regions",
                allowed=str(len(self.images)),
                got=str(len(self.regions)),
            )

    def masks(self) -> Iterator[tuple[int, str]]:
        """Yield the number of each photo that has a mask, and the id or the address of the mask."""
        for number, region in enumerate(self.regions or ()):
            if (mask := mask_image(region)) is not None:
                yield number, mask

    def image_places(self) -> dict[str, ImagePlace]:
        places = super().image_places()
        for number, mask in self.masks():
            places.setdefault(mask, ImagePlace(f"/regions/{number}/mask", f"The mask of image {number}"))
        return places

    def with_uploads(self, ids: Mapping[str, str]) -> Self:
        found = super().with_uploads(ids)
        uploaded = {number: MaskRegion(mask=ids[mask]) for number, mask in self.masks() if mask in ids}
        if self.regions is None or not uploaded:
            return found
        return found.changed(regions=tuple(uploaded.get(number, region) for number, region in enumerate(self.regions)))
