"""What the store takes and gives back. Method-agnostic: parameters and facts are JSON text here, typed at both ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from schemas.artifacts import ArtifactDescription, EncodedArtifact
from schemas.jobs import JobError, JobState, Priority, Progress, Provenance, Timings
from schemas.methods.card import Lane

EventType = Literal["status", "progress", "preview", "done"]
DESCRIBE = "describe"  # the internal method by which a worker publishes a model's description
INTERNAL_OWNER = "internal:models"  # the owner of internal jobs; no caller's name holds a colon


@dataclass(frozen=True)
class Submission:
    """A validated job: `params` are complete. `image` is the file's bytes, or None where the method needs none or where
    `image_id` names an upload. `fingerprint` must change with whatever the model's answers depend on."""

    owner: str
    method: str
    model: str
    lane: Lane
    priority: Priority
    params: str  # canonical JSON
    fingerprint: str
    image: bytes | None = None
    image_id: str | None = None
    request_id: str = ""
    fresh: bool = False  # Cache-Control: no-cache
    idempotency_key: str | None = None
    body_digest: str = ""  # sha256 of the request, compared under the idempotency key


@dataclass(frozen=True)
class JobRecord:
    """A job as its owner sees it: its own fields and those of the execution it stands for."""

    id: str
    owner: str
    request_id: str
    method: str
    model: str
    lane: Lane
    priority: Priority
    params: str
    state: JobState
    progress: Progress | None
    queue_position: int | None
    attempts: int
    cached: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime
    timings: Timings
    facts: str | None
    warnings: tuple[str, ...]
    artifacts: tuple[ArtifactDescription, ...]
    provenance: Provenance | None
    error: JobError | None


@dataclass(frozen=True)
class Submitted:
    """`created` is False where an idempotency key answered with the job it made before."""

    job: JobRecord
    created: bool


@dataclass(frozen=True)
class Execution:
    """What a worker has claimed: run once for all identical jobs. `attempt` counts from 1, without claims that were given back;
    `claim` counts every one: each write names it, and is refused once another worker has taken the execution over."""

    key: str
    shard: int
    entry_id: str
    attempt: int
    method: str
    model: str
    lane: Lane
    priority: Priority
    params: str
    image_id: str | None
    request_id: str
    queued_at: datetime
    claim: int = 0
    fresh: bool = False  # Cache-Control: no-cache: nothing of earlier jobs may be taken over


@dataclass(frozen=True)
class Result:
    """What a finished execution leaves."""

    artifacts: tuple[EncodedArtifact, ...]
    facts: str
    warnings: tuple[str, ...]
    timings: Timings
    provenance: Provenance


@dataclass(frozen=True)
class Event:
    """One event of a job's stream; `sequence` counts from 1 and is the server-sent event's id. `data` is JSON text."""

    sequence: int
    type: EventType
    data: str


@dataclass(frozen=True)
class LaneDepth:
    """Queued executions of a lane and the age of the oldest, seconds."""

    queued: int
    running: int
    oldest: float


@dataclass(frozen=True)
class QueueDepth:
    lanes: Mapping[Lane, LaneDepth] = field(default_factory=dict[Lane, LaneDepth])


@dataclass(frozen=True)
class ImageRecord:
    """An uploaded image's header facts."""

    id: str
    format: str
    width: int
    height: int
    size: int
    expires_at: datetime
