"""Define what the parts of the store take and return about batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from jobstore.snapshot import moment
from schemas.batches import BatchState

Stop = Literal["canceled", "deleted", "expired"]


@dataclass(frozen=True)
class PendingItem:
    """An item that was taken from its segment and has not ended. `job_id` is None until it is given one."""

    number: int
    segment: int
    job_id: str | None


@dataclass(frozen=True)
class BatchRecord:
    """A batch as the store keeps it. `pending` are the items that were taken and have not ended."""

    id: str
    owner: str
    request_id: str
    state: BatchState
    stop: Stop | None
    total: int
    segments: int
    taken: int
    succeeded: int
    failed: int
    canceled: int
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    pending: tuple[PendingItem, ...]

    @classmethod
    def from_redis(cls, reply: Sequence[Any]) -> BatchRecord:
        """Return the record of a reply of read_batches.lua or claim_batches.lua."""
        batch_id, flat, items = reply
        fields = {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}
        numbers = {name: int(fields[name]) for name in ("total", "segments", "taken", "succeeded", "failed", "canceled")}
        pending = (_pending(number, value) for number, value in zip(items[::2], items[1::2], strict=True))
        return cls(
            id=batch_id.decode(),
            owner=fields["owner"],
            request_id=fields["request_id"],
            state=cast("BatchState", fields["state"]),
            stop=cast("Stop | None", fields.get("stop")),
            created_at=moment(fields["created_at"]),
            finished_at=moment(fields["finished_at"]) if "finished_at" in fields else None,
            expires_at=moment(fields["expires_at"]),
            pending=tuple(sorted(pending, key=lambda item: item.number)),
            **numbers,
        )

    @property
    def ended(self) -> int:
        """The number of items that have ended."""
        return self.succeeded + self.failed + self.canceled


@dataclass(frozen=True)
class BatchDraft:
    """A batch whose files are held and which is about to be made.

    `digest` is the sha256 of the request; requests with one idempotency key must have the same digest.
    """

    id: str
    owner: str
    request_id: str
    total: int
    segments: int
    digest: str
    idempotency_key: str | None = None


@dataclass(frozen=True)
class ItemEnd:
    """The end of an item: what it counts as, and its row of the results as JSON (`BatchEnd`, and `error` if it never became a job)."""

    number: int
    counted_as: Literal["succeeded", "failed", "canceled"]
    row: str


@dataclass(frozen=True)
class NotedEnd:
    """The note of a shard that the job of an item has ended. `text` identifies the note."""

    shard: int
    text: str
    number: int
    job_id: str
    state: str

    @classmethod
    def of(cls, shard: int, text: str) -> NotedEnd:
        number, job_id, state = text.split(" ")
        return cls(shard, text, int(number), job_id, state)


@dataclass(frozen=True)
class FeedingState:
    """The state of a batch as its feeder sees it: how it is to end, the segments that were taken, and the items in hand."""

    stop: Stop | None
    taken: int
    pending: int


def as_mapping(items: Sequence[PendingItem]) -> Mapping[int, PendingItem]:
    """Return the items by number."""
    return {item.number: item for item in items}


def _pending(number: bytes, value: bytes) -> PendingItem:
    segment, _, job_id = value.decode().partition(" ")
    return PendingItem(int(number), int(segment[1:]), job_id or None)
