"""Turn Redis's replies about jobs and executions into objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from pydantic_core import from_json

from jobstore.outcome import file_of_outcome
from jobstore.records import Execution, JobRecord, stored_name
from schemas.jobs import JobState, Priority
from schemas.methods.card import Lane


def moment(milliseconds: str | int | bytes) -> datetime:
    """Return the time, in UTC, that is so many milliseconds after 1970 began."""
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


class JobSnapshot:
    """A job and its execution at one moment, as `snapshot` in records.lua reads them.

    The properties are what only the store needs to know; `record` is what its owner sees.
    """

    def __init__(self, reply: Sequence[Any]) -> None:
        """Take the reply of the function `snapshot` in records.lua."""
        job_id, state, position, job, execution, params, outcome, files = reply
        fields = _texts(execution)
        self._execution_state = fields.get("state")
        self._execution_priority = fields.get("priority", "")
        self._fields = fields | _texts(job) | {"id": job_id.decode(), "state": state.decode()}
        given = {"queue_position": position, "params": params, "outcome": outcome, "files": files}
        self._fields |= {name: _text(value) for name, value in given.items() if value is not None}

    def record(self, owner: str, outcome: str | None = None) -> JobRecord:
        """Return the job as its owner sees it. `outcome` is the content of `outcome_file`, if there is such a file."""
        return JobRecord.from_redis(self._fields if outcome is None else self._fields | {"outcome": outcome}, owner)

    @property
    def outcome_file(self) -> str | None:
        """Return the name of the stored file that holds the outcome, or None if there is no outcome, or Redis holds it."""
        sha256 = file_of_outcome(self._fields.get("outcome", ""))
        return sha256 and (stored_name(self._fields.get("files", ""), sha256) or sha256)

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
        return self._execution_priority

    @property
    def queued_at(self) -> str:
        """Return the time when the execution was queued, milliseconds since 1970."""
        return self._fields["queued_at"]

    @property
    def end(self) -> JobState:
        """Return the state in which the job has ended. It stays the same when the results expire."""
        return self.state if self.state is JobState.CANCELED or self.is_abandoned else JobState(self._execution_state)

    @property
    def is_abandoned(self) -> bool:
        """Tell whether the job has expired while its execution was still queued or running."""
        return self.state is JobState.EXPIRED and self._execution_state in ("queued", "running")


def execution_from_claim(reply: list[Any], shard: int, lane: Lane) -> Execution:
    """Return an execution from its part of claim.lua's reply."""
    execution_id, attempt, claim, *texts = reply
    strings = (cast("bytes", text).decode() for text in texts)
    method, model, priority, params, image, request_id, queued_at, fresh, model_digest, files, inputs, traceparent, spared, further = (
        strings
    )
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
        files=tuple(files.split()),
        inputs=from_json(inputs) if inputs else {},
        traceparent=traceparent,
        spared=int(spared),
        further_models=from_json(further) if further else {},
    )


def _texts(flat: Sequence[bytes]) -> dict[str, str]:
    """Return names and values that stand in turn."""
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _text(value: bytes | int) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
