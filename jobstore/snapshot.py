"""Redis's replies as records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import TypeAdapter

from jobstore.records import Execution, JobRecord
from schemas.artifacts import ArtifactDescription
from schemas.jobs import JobError, JobState, Priority, Progress, Provenance, Timings
from schemas.methods.card import Lane

Fields = dict[str, str]

artifact_descriptions = TypeAdapter(tuple[ArtifactDescription, ...])
string_table = TypeAdapter(dict[str, str])
string_tuple = TypeAdapter(tuple[str, ...])


def moment(milliseconds: str | int | bytes) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def table(flat: Sequence[bytes]) -> Fields:
    """A hash's reply as a dictionary."""
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}


class JobSnapshot:
    """A job and its execution as `snapshot` in common.lua reads them, at one moment."""

    def __init__(self, reply: list[Any]) -> None:
        job_id, state, position, job, execution = reply
        self.id = cast("bytes", job_id).decode()
        self.state = JobState(cast("bytes", state).decode())
        self.position = cast("int", position)
        self.job = table(job)
        self.execution = table(execution)

    @property
    def sequence(self) -> int:
        """Of the job's last event."""
        return int(self.job["sequence"])

    @property
    def execution_id(self) -> str:
        return self.job["execution"]

    @property
    def files(self) -> dict[str, str]:
        """The names of the stored files that hold large artifacts, by artifact name."""
        return string_table.validate_json(self.execution.get("files", "{}"))

    @property
    def is_abandoned(self) -> bool:
        """Expired without having ended in any way."""
        return self.state is JobState.EXPIRED and self.execution.get("state") in ("queued", "running")

    def record(self, owner: str) -> JobRecord:
        """The job as its owner sees it. What only a success or a failure leaves is shown in that state alone."""
        job, execution, state = self.job, self.execution, self.state
        created, started = int(job["created"]), execution.get("started")
        succeeded = state is JobState.SUCCEEDED
        timings = Timings.model_validate_json(execution["timings"]) if succeeded else Timings()
        finished = job.get("finished") or (execution.get("finished") if state.ended else None)
        return JobRecord(
            id=self.id,
            owner=owner,
            request_id=job["request_id"],
            method=job["method"],
            model=job["model"],
            lane=cast("Lane", job["lane"]),
            priority=cast("Priority", job["priority"]),
            params=job["params"],
            state=state,
            progress=Progress.model_validate_json(text) if (text := execution.get("progress")) else None,
            queue_position=self.position if state is JobState.QUEUED else None,
            attempts=int(execution.get("attempt", 0)),
            cached=job["cached"] == "1",
            created_at=moment(created),
            started_at=moment(started) if started else None,
            finished_at=moment(finished) if finished else None,
            expires_at=moment(job["expires"]),
            timings=timings.model_copy(update={"queued": max(0, int(started) - created) if started else None}),
            facts=execution["facts"] if succeeded else None,
            warnings=string_tuple.validate_json(execution["warnings"]) if succeeded else (),
            artifacts=artifact_descriptions.validate_json(execution["artifacts"]) if succeeded else (),
            provenance=Provenance.model_validate_json(execution["provenance"]) if succeeded else None,
            error=JobError.model_validate_json(execution["error"]) if state is JobState.FAILED else None,
        )


def execution_from_claim(reply: list[Any], shard: int, lane: Lane) -> Execution:
    """An execution as claim.lua returns it."""
    key, entry, attempt, claim, *texts = reply
    method, model, priority, params, image, request_id, queued, fresh = (cast("bytes", text).decode() for text in texts)
    return Execution(
        key=cast("bytes", key).decode(),
        shard=shard,
        entry_id=cast("bytes", entry).decode(),
        attempt=cast("int", attempt),
        claim=cast("int", claim),
        method=method,
        model=model,
        lane=lane,
        priority=cast("Priority", priority),
        params=params,
        image_id=f"img_{image}" if image else None,
        request_id=request_id,
        queued_at=moment(queued),
        fresh=fresh == "1",
    )
