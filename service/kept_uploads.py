"""Keep the uploads that a submission names. Sets and batches hold uploads too, also those that their owner has deleted since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio.to_thread

from jobstore.records import ImageRecord
from schemas.errors import Expired, NotFound
from schemas.methods.several_images import ImagesParams
from service.dependencies import Caller, Services
from service.image_check import check_image
from service.parse_request import ParsedRequest


async def kept_uploads(services: Services, caller: Caller, parsed: ParsedRequest, image_ids: Sequence[str]) -> list[ImageRecord | None]:
    """Let uploads live as long as a job that is about to read them. Return the record of each, or None if the caller has no such upload.

    A set or a batch of `parsed.holders` may have an upload in the caller's place.
    """
    found = await services.store.images.keep(caller.owner, image_ids)
    if not parsed.holders:
        return found
    return [
        record if record is not None else await _held(services, parsed.holders, image_id)
        for record, image_id in zip(found, image_ids, strict=True)
    ]


async def with_images_of_sets(services: Services, caller: Caller, parsed: ParsedRequest) -> ParsedRequest:
    """Return a request whose parameters name the images of sets in place of the sets. An image that stands there twice is read once.

    Raises:
        NotFound: the caller has no such set.
    """
    if not isinstance(parsed.params, ImagesParams) or not (places := parsed.params.set_places()):
        return parsed
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for set_id, pointer in places.items():
        record = await services.store.sets.use(caller.owner, set_id)
        if record is None:
            raise NotFound(f"There is no set {set_id}.", pointer=f"{parsed.params_pointer}{pointer}", got=set_id)
        found[set_id] = record.name, record.images
    holders = (*parsed.holders, *(each.removeprefix("set_") for each in places))
    return replace(parsed, params=parsed.params.with_sets(found), holders=holders)


async def _held(services: Services, holders: Sequence[str], image_id: str) -> ImageRecord | None:
    for holder in holders:
        expires_at = await services.store.batch_files.upload_held_until(holder, image_id)
        if expires_at is None:
            continue
        try:
            content = await services.store.images.file(image_id)
        except Expired:
            return None
        header = await anyio.to_thread.run_sync(check_image, content, services.settings.image_limits)
        return ImageRecord(image_id, header.format, header.width, header.height, len(content), expires_at)
    return None
