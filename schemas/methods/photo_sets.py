"""Parameters that name whole sets of photos, beside the photos in `images`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.image_sets import SET_ID_PATTERN
from schemas.images import IMAGES_ITEM_PATTERN, LONGEST_ADDRESS
from schemas.methods.several_images import ImagePlace, ImagesParams

SetId = Annotated[str, Field(pattern=SET_ID_PATTERN)]


class PhotoSet(BaseModel):
    """A set of photos that stands in a request itself. The set needs no `POST /v1/sets`."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="PhotoSet")

    name: str = Field(min_length=1, max_length=128, description="This is the name of the set, which pictures and facts show.")
    images: tuple[Annotated[str, Field(pattern=IMAGES_ITEM_PATTERN, max_length=LONGEST_ADDRESS)], ...] = Field(
        min_length=1,
        description=(
            "These are the ids of uploads. The id of a set (`POST /v1/sets`) and the `https` address of an image are allowed as in "
            "`images`. An image that stands here twice is read once."
        ),
    )


PhotoSetReference = SetId | PhotoSet
"""A set of photos in a request: the id of a set that was made with `POST /v1/sets`, or its name and its images."""


class PhotoSetsParams(ImagesParams):
    """Parameters of a method that reads sets of photos beside those of `images`.

    A subclass has a field of the type `tuple[PhotoSetReference, ...]` for each name in `set_fields`. The service puts the images of a set
    in the place of its id, so accepted jobs have only `PhotoSet` there. A worker finds the photos in `inputs.sets`, by the field's name.
    """

    set_fields: ClassVar[tuple[str, ...]]

    def photo_sets(self, name: str) -> tuple[PhotoSet, ...]:
        """Return the sets of the field `name`, after the service has put images in the place of ids."""
        return tuple(each for each in self._references(name) if isinstance(each, PhotoSet))

    def image_places(self) -> dict[str, ImagePlace]:
        places = super().image_places()
        for pointer, label, image in self._members():
            places.setdefault(image, ImagePlace(pointer, label))
        return places

    def set_places(self) -> dict[str, str]:
        places = super().set_places()
        for name in self.set_fields:
            for number, each in enumerate(self._references(name)):
                if isinstance(each, str):
                    places.setdefault(each, f"/{name}/{number}")
        for pointer, _, image in self._members():
            if image.startswith("set_"):
                places.setdefault(image, pointer)
        return places

    def with_sets(self, found: Mapping[str, tuple[str, tuple[str, ...]]]) -> Self:
        def filled(reference: SetId | PhotoSet) -> PhotoSet:
            if isinstance(reference, str):
                name, images = found[reference]
                return PhotoSet(name=name, images=images)
            members = [image for each in reference.images for image in (found[each][1] if each in found else (each,))]
            return reference.model_copy(update={"images": tuple(dict.fromkeys(members))})

        return super().with_sets(found).changed(**{name: tuple(map(filled, self._references(name))) for name in self.set_fields})

    def with_uploads(self, ids: Mapping[str, str]) -> Self:
        def named(photo_set: PhotoSet) -> PhotoSet:
            return photo_set.model_copy(update={"images": tuple(dict.fromkeys(ids.get(each, each) for each in photo_set.images))})

        return super().with_uploads(ids).changed(**{name: tuple(map(named, self.photo_sets(name))) for name in self.set_fields})

    def _references(self, name: str) -> tuple[PhotoSetReference, ...]:
        return getattr(self, name)

    def _members(self) -> Iterator[tuple[str, str, str]]:
        """Yield the pointer, the label and the reference of each image of the sets that are not named by their ids."""
        for name in self.set_fields:
            for number, photo_set in enumerate(self._references(name)):
                if isinstance(photo_set, PhotoSet):
                    for place, image in enumerate(photo_set.images):
                        yield f"/{name}/{number}/images/{place}", f"Image {place} of `{name}` {number}", image
