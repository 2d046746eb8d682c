"""Turn Redis's replies about jobs and executions into objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import TypeAdapter

from jobstore.records import Execution, JobRecord
from schemas.jobs import JobState, Priority
from schemas.methods.card import Lane

string_table = TypeAdapter(dict[str, str])


def moment(milliseconds: str | int | bytes) -> datetime:
    """Return the time, in UTC, that is so many milliseconds after 1970 began."""
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


class JobSnapshot:
    """A job and its execution at one moment, as `snapshot` in common.lua reads them.

    The properties are what only the store needs to know; `record` is what its owner sees.
    """

    def __init__(self, reply: Sequence[bytes]) -> None:
        """Take a reply that lists names and values in turn."""
        self._fields = {name.decode(): value.decode() for name, value in zip(reply[::2], reply[1::2], strict=True)}

    def record(self, owner: str) -> JobRecord:
        """Return the job as its owner sees it."""
        return JobRecord.from_redis(self._fields, owner)

    @property
    def id(self) -> str:
        return self._fields["id"]

    @property
    def state(self) -> JobState:
        return JobState(self._fields["state"])

    @property
    def method(self) -> str:
        return self._fields["method"]

    @property
    def model(self) -> str:
        return self._fields["model"]

    @property
    def sequence(self) -> int:
        """Return the sequence number of the job's last event."""
        return int(self._fields["sequence"])

    @property
    def execution_id(self) -> str:
        return self._fields["execution_id"]

    @property
    def execution_priority(self) -> str:
        """Return the priority at which the execution is queued: the highest of its jobs."""
        return self._fields["execution_priority"]

    @property
    def queued_at(self) -> str:
        """Return the time when the execution was queued, milliseconds since 1970."""
        return self._fields["queued_at"]

    @property
    def files(self) -> dict[str, str]:
        """Return the names of the stored files that hold large artifacts, by artifact name."""
        return string_table.validate_json(self._fields.get("files", "{}"))

    @property
    def is_abandoned(self) -> bool:
        """Tell whether the job has expired while its execution was still queued or running."""
        return self.state is JobState.EXPIRED and self._fields.get("execution_state") in ("queued", "running")


def execution_from_claim(reply: list[Any], shard: int, lane: Lane) -> Execution:
    """Return an execution from its part of claim.lua's reply."""
    execution_id, attempt, claim, *texts = reply
    method, model, priority, params, image, request_id, queued_at, fresh, model_digest = (cast("bytes", text).decode() for text in texts)
    return Execution(
        key=cast("bytes", execution_id).decode(),
        shard=shard,
        attempt=cast("int", attempt),
        claim=cast("int", claim),
        method=method,
        model=model,
        lane=lane,
        priority=cast("Priority", priority),
        params=params,
        image_id=f"img_{image}" if image else None,
        request_id=request_id,
        queued_at=moment(queued_at),
        fresh=fresh == "1",
        model_digest=model_digest,
    )
