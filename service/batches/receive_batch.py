"""Receive a batch: read its body while it arrives, store what its items need, and make the batch when all of it has come."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncGenerator

import anyio.to_thread
import structlog
from fastapi import Request
from pydantic import JsonValue

from jobstore.batches.records import BatchDraft, BatchRecord
from schemas.errors import BodyTooLarge, BrokerUnavailable, FieldError, InvalidParameters, LimitExceeded, VisualizationError
from schemas.webhooks import WebhookRequest
from service.batches.body_parts import BodyPart, BodyParts, JsonParts, LineParts
from service.batches.receive_item import DEFAULTS_IMAGE, RECEIVING, ItemImages, parse_part, take_custom_id
from service.batches.stored_item import Fields, StoredItem
from service.dependencies import Caller, Services
from service.media_type import media_type_of, unsupported_media_type
from service.validate_submission import PhotoEnvelope
from service.validation_errors import invalid_parameters, unknown_field, validated
from service.webhooks.registration import check_webhook

JSON, JSON_LINES = "application/json", "application/x-ndjson"
_SEGMENT_ITEMS, _SEGMENT_BYTES = 100, 1024**2  # a segment is closed when it has so many items or bytes
_STORED_TOGETHER = 4  # items whose images are stored at the same time
_KEPT_LONGER = 3600  # seconds that the files of a batch live after the time at which the batch is given up

_log = structlog.get_logger(__name__)


async def receive_batch(request: Request, services: Services, caller: Caller, idempotency_key: str | None) -> tuple[BatchRecord, bool]:
    """Return the batch that a request makes. The second value is False if an idempotency key answers an earlier batch.

    Raises:
        UnsupportedFormat: the body is neither JSON nor JSON Lines.
        MalformedBody: the body as a whole cannot be read.
        BodyTooLarge: the body, or one of its fields, has too many bytes.
        InvalidParameters: the body has no items, or other fields than `defaults` and `items`, or wrong defaults.
        LimitExceeded: there are too many items.
        CallerLimit: the caller has too many unfinished batches.
        StorageFull: there is no room for the images. Nothing is stored.
    """
    store = services.store.batches
    reading = _Body(request, services)
    if idempotency_key is not None and (earlier := await store.made_before(caller.owner, idempotency_key)):
        async for _ in reading.parts():
            pass
        return await store.answer_again(caller.owner, *earlier, digest=reading.digest), False
    await store.check_limit(caller.owner)
    receiver = _Receiver(services, caller, store.new_id(caller.owner))
    try:
        async for part in reading.parts():
            await receiver.take(part)
        draft = await receiver.finish(reading.digest, idempotency_key)
        if receiver.webhook is not None:
            await services.store.webhooks.register(caller.owner, "batch", draft.id, receiver.webhook)
        batch, created = await store.make(draft)
    except BaseException as error:
        if not isinstance(error, BrokerUnavailable):  # then it is not known whether the batch was made, and the sweep deletes its files
            await asyncio.shield(receiver.discard())
        raise
    if not created:
        await receiver.discard()
    services.batch_made.set()
    _log.info("batch_submitted", batch_id=batch.id, items=batch.total, created=created)
    return batch, created


class _Body:
    """The body of the request. `digest` is the sha256 of its bytes when all parts have been read."""

    def __init__(self, request: Request, services: Services) -> None:
        media_type = media_type_of(request)
        if media_type not in (JSON, JSON_LINES):
            raise unsupported_media_type(media_type, JSON, JSON_LINES)
        self._request, self._limit = request, services.settings.max_batch_bytes
        self._parts: BodyParts = (JsonParts if media_type == JSON else LineParts)(longest_item(services))
        self._digest = hashlib.sha256(b"batch")

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    async def parts(self) -> AsyncGenerator[BodyPart]:
        """Yield the parts of the body while it arrives."""
        size = 0
        async for chunk in self._request.stream():
            size += len(chunk)
            if size > self._limit:
                raise BodyTooLarge(
                    f"The body of a batch has at most {self._limit:,} bytes; got more. Upload the images with POST /v1/images, or send "
                    "several batches.",
                    allowed=f"at most {self._limit} bytes",
                )
            for part in await anyio.to_thread.run_sync(self._feed, chunk):
                yield part
        for part in await anyio.to_thread.run_sync(self._parts.close):
            yield part

    def _feed(self, chunk: bytes) -> list[BodyPart]:
        self._digest.update(chunk)
        return self._parts.feed(chunk)


def longest_item(services: Services) -> int:
    """Return how many bytes an item may have: room for its image in base64 and for its parameters."""
    return services.settings.max_base64_bytes * 4 // 3 + 1024**2


class _Receiver:
    def __init__(self, services: Services, caller: Caller, batch_id: str) -> None:
        self._services, self._caller, self._batch_id = services, caller, batch_id
        self._images = ItemImages(services, caller, batch_id)
        self._names: dict[str, int] = {}
        self._has_defaults = False
        self.webhook: WebhookRequest | None = None
        self._total = self._segments = self._bytes = 0
        self._first = 0  # the number of the open segment's first item
        self._storing: deque[asyncio.Task[StoredItem]] = deque()
        self._lines: list[bytes] = []

    async def take(self, part: BodyPart) -> None:
        """Take the next part of the body."""
        if part.kind == "field":
            if part.name not in ("defaults", "webhook"):
                raise self._wrong_field(part)
            if part.text == b"null":
                return
            if part.name == "webhook":
                await self._take_webhook(await parse_part(part.text, longest_item(self._services), "webhook"))
            else:
                await self._take_defaults(await parse_part(part.text, longest_item(self._services), "defaults"))
            return
        most = self._services.settings.max_batch_items
        if self._total == most:
            detail = f"A batch has at most {most:,} items; got more."
            raise LimitExceeded(detail, pointer="/items", allowed=f"at most {most}", got="more")
        item = StoredItem(None, {})
        try:
            fields = await parse_part(part.text, longest_item(self._services))
            if part.kind == "line" and not self._total and "defaults" in fields and set(fields) <= {"defaults", "webhook"}:
                await self._take_line_of_defaults(fields)
                return
            item = StoredItem(take_custom_id(fields, self._names), fields)
        except VisualizationError as error:
            item = self._images.wrong(item, error)
        if item.custom_id is not None:
            self._names[item.custom_id] = self._total
        if len(self._storing) == _STORED_TOGETHER:
            await self._append(await self._storing.popleft())
        self._storing.append(asyncio.create_task(self._stored(item, self._total)))
        self._total += 1

    async def finish(self, digest: str, idempotency_key: str | None) -> BatchDraft:
        """Return the batch that can be made now.

        Raises:
            InvalidParameters: there are no items.
        """
        while self._storing:
            await self._append(await self._storing.popleft())
        if not self._total:
            raise InvalidParameters("A batch has at least one item; got none.", pointer="/items", allowed="1 or more items", got="none")
        if self._lines:
            await self._close_segment()
        files, life = self._services.store.batch_files, self._services.settings.batch_ttl + _KEPT_LONGER
        await files.keep(self._batch_id, life)
        return BatchDraft(self._batch_id, self._caller.owner, self._caller.request_id, self._total, self._segments, digest, idempotency_key)

    async def discard(self) -> None:
        """Let go of everything that was stored for this batch."""
        await asyncio.gather(*self._storing, return_exceptions=True)
        try:
            await self._services.store.batch_files.release(self._batch_id)
        except VisualizationError as error:  # the sweep deletes the files later
            _log.warning("batch_not_discarded", batch_id=self._batch_id, reason=error.detail)

    def _wrong_field(self, part: BodyPart) -> InvalidParameters:
        if part.name == "items":
            return InvalidParameters("items must be a list.", pointer="/items", allowed="a list")
        return invalid_parameters([unknown_field(part.name, f"/{part.name}", ("defaults", "items", "webhook"))])

    async def _take_line_of_defaults(self, fields: Fields) -> None:
        defaults = fields["defaults"]
        if not isinstance(defaults, dict):
            raise InvalidParameters("defaults must be an object.", pointer="/defaults", allowed="an object")
        await self._take_defaults(defaults)
        if (webhook := fields.get("webhook")) is not None:
            await self._take_webhook(webhook)

    async def _take_webhook(self, value: JsonValue) -> None:
        errors: list[FieldError] = []
        self.webhook = validated(WebhookRequest, value, "/webhook", errors)
        if self.webhook is None:
            raise invalid_parameters(errors)
        await check_webhook(self._services, self._caller.owner, self.webhook)

    async def _take_defaults(self, fields: Fields) -> None:
        if self._has_defaults:
            raise InvalidParameters("A batch has its defaults once; got them twice.", pointer="/defaults", allowed="1", got="2")
        self._has_defaults = True
        names = [name for name in PhotoEnvelope.model_fields if name != "webhook"]
        if unknown := [name for name in fields if name not in names]:
            raise invalid_parameters([unknown_field(name, f"/defaults/{name}", names) for name in unknown])
        try:
            defaults = await self._images.stored(StoredItem(None, fields), DEFAULTS_IMAGE)
        except VisualizationError as error:
            error.pointer = f"/defaults{error.pointer or ''}"
            raise
        await self._services.store.batch_files.hold_content(self._batch_id, "defaults", defaults.to_line(), RECEIVING)

    async def _stored(self, item: StoredItem, number: int) -> StoredItem:
        if item.problem is not None:
            return item
        try:
            return await self._images.stored(item, f"i{number}")
        except VisualizationError as error:
            return self._images.wrong(item, error)

    async def _append(self, item: StoredItem) -> None:
        self._lines.append(item.to_line())
        self._bytes += len(self._lines[-1])
        if len(self._lines) == _SEGMENT_ITEMS or self._bytes >= _SEGMENT_BYTES:
            await self._close_segment()

    async def _close_segment(self) -> None:
        content = b"%d\n" % self._first + b"".join(self._lines)
        await self._services.store.batch_files.hold_content(self._batch_id, f"s{self._segments}", content, RECEIVING)
        self._first += len(self._lines)
        self._segments, self._bytes = self._segments + 1, 0
        self._lines.clear()
