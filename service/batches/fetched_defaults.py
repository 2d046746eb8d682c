"""Fetch the images whose addresses stand in the parameters and inputs of a batch's defaults, once for all items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeGuard

from pydantic import JsonValue

from jobstore.batches.files import upload_field
from jobstore.files import content_digest
from schemas.images import LONGEST_ADDRESS
from service.batches.named_uploads import SET_FIELDS
from service.batches.stored_item import StoredItem
from service.dependencies import Services
from service.fetched_photos import fetch_all, is_address
from service.given_inputs import pointer_to
from service.image_check import ImageHeader

_Replace = Callable[[str, str], JsonValue]
"""Takes an address and the JSON pointer to it, and returns what stands in its place."""


@dataclass(frozen=True)
class FetchedDefaults:
    """Fetches images for one batch, which holds them for `life` seconds, or until it has ended once it is made."""

    services: Services
    batch_id: str
    life: float

    async def fetched(self, defaults: StoredItem) -> StoredItem:
        """Return the defaults with the id of each image in place of its address.

        Raises:
            VisualizationError: an image cannot be fetched, as `fetch_photo` says.
        """
        wanted: dict[str, str] = {}

        def note(url: str, pointer: str) -> JsonValue:
            return wanted.setdefault(url, pointer)

        _with_addresses(defaults, note)
        if not wanted:
            return defaults
        ids = await fetch_all(self.services, wanted, self._held)
        return _with_addresses(defaults, lambda url, pointer: ids[url])

    async def _held(self, content: bytes, header: ImageHeader) -> str:
        image_id = f"img_{await content_digest(content)}"
        await self.services.store.batch_files.hold_image(self.batch_id, upload_field(image_id), content, self.life)
        return image_id


def _with_addresses(defaults: StoredItem, change: _Replace) -> StoredItem:
    """Return the defaults with each address of an image in their parameters and inputs changed."""
    fields = dict(defaults.fields)
    if isinstance(params := fields.get("params"), dict):
        params = {name: _changed(value, f"/params/{name}", change) for name, value in params.items()}
        params |= _images_changed(params, "/params", change)
        for name in SET_FIELDS:
            if isinstance(sets := params.get(name), list):
                params[name] = [
                    each | _images_changed(each, f"/params/{name}/{number}", change) if isinstance(each, dict) else each
                    for number, each in enumerate(sets)
                ]
        if "other_image" in params:
            params["other_image"] = _text_changed(params["other_image"], "/params/other_image", change)
        fields["params"] = params
    if isinstance(inputs := fields.get("inputs"), dict):
        fields["inputs"] = {name: _input_changed(value, pointer_to(name), change) for name, value in inputs.items()}
    return replace(defaults, fields=fields)


def _changed(value: JsonValue, pointer: str, change: _Replace) -> JsonValue:
    """Return a value with each `{"url": address}` in it changed. The items of a list are no such objects themselves."""
    if isinstance(value, list):
        return [each if _is_address(each) else _changed(each, f"{pointer}/{number}", change) for number, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if _is_address(value):
        return _text_changed(value["url"], f"{pointer}/url", change)
    return {name: _changed(each, pointer_to(name, pointer), change) for name, each in value.items()}


def _is_address(value: JsonValue) -> TypeGuard[dict[str, JsonValue]]:
    return isinstance(value, dict) and list(value) == ["url"]


def _images_changed(fields: Mapping[str, JsonValue], pointer: str, change: _Replace) -> dict[str, JsonValue]:
    """Return the field `images` with each address in its list changed. Return nothing if there is no such list."""
    if not isinstance(images := fields.get("images"), list):
        return {}
    return {"images": [_text_changed(each, f"{pointer}/images/{number}", change) for number, each in enumerate(images)]}


def _text_changed(value: JsonValue, pointer: str, change: _Replace) -> JsonValue:
    """Return what stands in place of an address. A value that is none is left to the check of each item."""
    return change(value, pointer) if isinstance(value, str) and is_address(value) and len(value) <= LONGEST_ADDRESS else value


def _input_changed(value: JsonValue, pointer: str, change: _Replace) -> JsonValue:
    """Return the value of an input with the address of its image changed."""
    if not isinstance(value, dict) or not _is_address(image := value.get("image")):
        return value
    found = _text_changed(image["url"], f"{pointer}/image/url", change)
    return value if found == image["url"] else {"image": {"id": found}}
