"""Hold the uploads that an item of a batch names in its parameters and inputs, until the item is a job."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, replace

from pydantic import JsonValue

from jobstore.batches.files import upload_field
from schemas.errors import NotFound
from schemas.image_sets import SET_ID_PATTERN
from schemas.images import IMAGE_ID_PATTERN
from service.batches.stored_item import Fields, StoredItem
from service.dependencies import Caller, Services

_PLACES = ("params", "inputs")


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
        images = params.get("images") if isinstance(params, dict) else None
        if not isinstance(params, dict) or not isinstance(images, list):
            return fields
        found: list[JsonValue] = []
        for number, each in enumerate(images):
            if not isinstance(each, str) or not re.fullmatch(SET_ID_PATTERN, each):
                found.append(each)
                continue
            members = await self.services.store.sets.use(self.caller.owner, each)
            if members is None:
                raise NotFound(f"There is no set {each}.", pointer=f"/params/images/{number}", got=each)
            await self._hold_members(members.images, each.removeprefix("set_"))
            found += [image for image in members.images if image not in found]
        return {**fields, "params": {**params, "images": found}}

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
