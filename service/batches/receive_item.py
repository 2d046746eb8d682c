"""Receive one item of a batch: check its name and its image, and store the image. The rest is checked when the item becomes a job."""

from __future__ import annotations

from dataclasses import dataclass, replace

import anyio.to_thread
from pydantic import JsonValue, ValidationError
from pydantic_core import from_json

from schemas.errors import BodyTooLarge, InvalidParameters, MalformedBody, VisualizationError
from schemas.images import ImageAddress, InlineImage, UploadedImageReference
from schemas.problem import Problem
from service.batches.fetched_defaults import FetchedDefaults
from service.batches.named_uploads import NamedUploads
from service.batches.stored_item import Fields, StoredItem
from service.dependencies import Caller, Services
from service.echo import echo
from service.fetched_photos import fetch_photo
from service.image_check import check_image, decode_base64
from service.problems import problem_of
from service.threads import on_thread_if_large
from service.validation_errors import check_extent_of_json

DEFAULTS_IMAGE = "image"  # the field of `BatchFiles` with the image of the defaults
RECEIVING = 3600.0  # seconds for which images are held without another one being received
_LONGEST_NAME = 128


@dataclass(frozen=True)
class ItemImages:
    """Stores the images of one batch."""

    services: Services
    caller: Caller
    batch_id: str

    async def stored(self, item: StoredItem, field: str) -> StoredItem:
        """Return the item with its image stored, if it has one as base64 or names an upload. `field` is that of `BatchFiles`.

        The uploads that its parameters and inputs name are held.

        The images at the addresses that the defaults name are fetched now, so that each is fetched once. An item fetches its own later.

        Raises:
            VisualizationError: the image is refused.
        """
        if field == DEFAULTS_IMAGE:
            item = await FetchedDefaults(self.services, self.batch_id, RECEIVING).fetched(item)
        item = await NamedUploads(self.services, self.caller, self.batch_id, RECEIVING).held(item)
        reference = item.fields.get("image")
        of_defaults = field == DEFAULTS_IMAGE
        if not isinstance(reference, dict) or list(reference) not in (["base64"], ["id"], *([["url"]] if of_defaults else [])):
            return item  # it has none, or one that the submission's own check refuses or takes as it is
        rest = {name: value for name, value in item.fields.items() if name != "image"}
        files = self.services.store.batch_files
        try:
            if "id" in reference:
                image_id = UploadedImageReference.model_validate(reference).id
                await files.hold_upload(self.batch_id, field, image_id, self.caller.owner, RECEIVING)
                return replace(item, fields=rest, image=image_id)
            if "url" in reference:
                url = ImageAddress.model_validate(reference).url
                content, _ = await fetch_photo(self.services, url, "/image/url")
                return replace(item, fields=rest, image=await files.hold_image(self.batch_id, field, content, RECEIVING))
            text = InlineImage.model_validate(reference).base64
        except ValidationError:
            return item  # the submission's own check says what is wrong
        content = await anyio.to_thread.run_sync(self._checked, text)
        return replace(item, fields=rest, image=await files.hold_image(self.batch_id, field, content, RECEIVING))

    def _checked(self, text: str) -> bytes:
        settings = self.services.settings
        content = decode_base64(text, settings.max_base64_bytes, "/image/base64")
        check_image(content, settings.image_limits, "/image/base64")
        return content

    def wrong(self, item: StoredItem, error: VisualizationError) -> StoredItem:
        """Return the item with the reason why it is wrong, and without its fields.

        Raises:
            VisualizationError: the error, if it is the service's and may pass.
        """
        if error.retryable:
            raise error
        return StoredItem(item.custom_id, {}, problem=self.problem(error))

    def problem(self, error: VisualizationError) -> Problem:
        return problem_of(error, self.caller.request_id)


async def parse_part(text: bytes | None, max_bytes: int, name: str = "An item") -> Fields:
    """Return the fields of an item or of the defaults. `name` is how errors call it.

    Raises:
        BodyTooLarge: `text` is None, because the part had too many bytes.
        MalformedBody: the part is not a JSON object.
        LimitExceeded: it holds too many values.
    """
    if text is None:
        raise BodyTooLarge(f"{name} has at most {max_bytes:,} bytes; got more.", allowed=f"at most {max_bytes} bytes")
    return await on_thread_if_large(len(text), _fields, text, name)


def _fields(text: bytes, name: str) -> Fields:
    check_extent_of_json(text)
    try:
        value: JsonValue = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedBody(f"{name} must be valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise MalformedBody(f"{name} must be a JSON object; got {echo(value)}.", allowed="an object", got=echo(value))
    return value


def take_custom_id(fields: Fields, used: dict[str, int]) -> str | None:
    """Take the item's name out of its fields and return it. `used` are the names of earlier items, with their numbers.

    Raises:
        InvalidParameters: it is no text of 1 to 128 characters, or an earlier item has it.
    """
    name = fields.pop("custom_id", None)
    if name is None:
        return None
    if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_NAME:
        allowed = f"text of 1 to {_LONGEST_NAME} characters"
        raise InvalidParameters(f"custom_id must be {allowed}; got {echo(name)}.", pointer="/custom_id", allowed=allowed, got=echo(name))
    if name in used:
        raise InvalidParameters(
            f"The custom_id {echo(name)} is used by item {used[name]} too. Each item needs its own.", pointer="/custom_id", got=echo(name)
        )
    return name
