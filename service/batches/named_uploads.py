"""Hold the uploads that an item of a batch names in its parameters and inputs, until the item is a job."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TypeGuard

from pydantic import JsonValue

from jobstore.batches.files import upload_field
from jobstore.image_sets import ImageSetRecord
from schemas.errors import NotFound
from schemas.image_sets import SET_ID_PATTERN
from schemas.images import IMAGE_ID_PATTERN
from schemas.methods import METHODS
from schemas.methods.photo_sets import PhotoSetsParams
from service.batches.stored_item import Fields, StoredItem
from service.dependencies import Caller, Services

_PLACES = ("params", "inputs")
SET_FIELDS = sorted({name for params in METHODS.values() if issubclass(params, PhotoSetsParams) for name in params.set_fields})
"""The parameters that name whole sets of photos, of all methods."""


@dataclass(frozen=True)
class NamedUploads:
    """Holds the uploads that the items of one batch name. Each is held once, however many items name it, until the batch has ended."""

    services: Services
    caller: Caller
    batch_id: str
    life: float

    async def held(self, item: StoredItem) -> StoredItem:
        """Hold the uploads of an item, or of the defaults. Return it with the images of sets in place of the sets.

        Raises:
            NotFound: the caller has no such upload, or no such set.
        """
        item = replace(item, fields=await self._with_images_of_sets(item.fields))
        for place in _PLACES:
            for pointer, image_id in _ids(item.fields.get(place), f"/{place}"):
                try:
                    await self.services.store.batch_files.hold_upload(
                        self.batch_id, upload_field(image_id), image_id, self.caller.owner, self.life
                    )
                except NotFound as error:
                    if await self.services.store.batch_files.upload_held_until(self.batch_id, image_id) is None:
                        error.pointer = pointer
                        raise
        return item

    async def _with_images_of_sets(self, fields: Fields) -> Fields:
        params = fields.get("params")
        if not isinstance(params, dict):
            return fields
        filled = dict(params)
        if isinstance(images := params.get("images"), list):
            filled["images"] = await self._members(images, "/params/images")
        for name in SET_FIELDS:
            if isinstance(sets := params.get(name), list):
                filled[name] = [await self._filled(each, f"/params/{name}/{number}") for number, each in enumerate(sets)]
        return {**fields, "params": filled}

    async def _filled(self, photo_set: JsonValue, pointer: str) -> JsonValue:
        """Return one of the sets that a parameter names, with its images in place of every id of a set."""
        if _is_set_id(photo_set):
            members = await self._set(photo_set, pointer)
            return {"name": members.name, "images": list[JsonValue](members.images)}
        if isinstance(photo_set, dict) and isinstance(images := photo_set.get("images"), list):
            return {**photo_set, "images": await self._members(images, f"{pointer}/images")}
        return photo_set

    async def _members(self, images: list[JsonValue], pointer: str) -> list[JsonValue]:
        """Return a list of images, with the images of sets in place of the sets."""
        found: list[JsonValue] = []
        for number, each in enumerate(images):
            if _is_set_id(each):
                members = await self._set(each, f"{pointer}/{number}")
                found += [image for image in members.images if image not in found]
            else:
                found.append(each)
        return found

    async def _set(self, set_id: str, pointer: str) -> ImageSetRecord:
        """Return a set of the caller, and hold its images."""
        members = await self.services.store.sets.use(self.caller.owner, set_id)
        if members is None:
            raise NotFound(f"There is no set {set_id}.", pointer=pointer, got=set_id)
        await self._hold_members(members.images, set_id.removeprefix("set_"))
        return members

    async def _hold_members(self, images: tuple[str, ...], holder: str) -> None:
        """Hold the images of a set, also those that are no uploads of the caller any more."""
        files = self.services.store.batch_files
        for image_id in images:
            try:
                await files.hold_upload(self.batch_id, upload_field(image_id), image_id, self.caller.owner, self.life)
            except NotFound:
                if await files.upload_held_until(holder, image_id) is None:
                    raise
                content = await self.services.store.images.file(image_id)
                await files.hold_image(self.batch_id, upload_field(image_id), content, self.life)


def _is_set_id(value: JsonValue) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch(SET_ID_PATTERN, value) is not None


def _ids(value: JsonValue, pointer: str) -> Generator[tuple[str, str]]:
    """Yield each id of an image in a value, with the JSON pointer to it."""
    if isinstance(value, str):
        if re.fullmatch(IMAGE_ID_PATTERN, value):
            yield pointer, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _ids(each, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _ids(each, f"{pointer}/{number}")
