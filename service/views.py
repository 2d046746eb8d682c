"""A job as the store has it, as a job on the wire."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import JsonValue
from pydantic_core import from_json

from jobstore.records import JobRecord
from schemas.artifacts import ArtifactDescription
from schemas.jobs import Artifact, InlineArray, JobBase


class JobView(JobBase):
    """A job whose `params` and `facts` are what was stored: typed where they were made, and readable after an upgrade that has
    changed their types."""

    params: dict[str, JsonValue]  # pyright: ignore[reportIncompatibleVariableOverride,reportGeneralTypeIssues]
    facts: dict[str, JsonValue] | None  # pyright: ignore[reportIncompatibleVariableOverride,reportGeneralTypeIssues]


def job_url(job_id: str) -> str:
    return f"/v1/jobs/{job_id}"


def artifact_url(job_id: str, name: str) -> str:
    return f"{job_url(job_id)}/artifacts/{quote(name, safe='')}"


def job_view(record: JobRecord, inlined: dict[str, InlineArray] | None = None) -> JobView:
    """`inlined`: arrays to stand in the job itself, by artifact name."""
    return JobView.model_validate(
        {
            "id": record.id,
            "method": record.method,
            "model": record.model,
            "state": record.state,
            "params": from_json(record.params),
            "priority": record.priority,
            "progress": record.progress,
            "queue_position": record.queue_position,
            "attempts": record.attempts,
            "cached": record.cached,
            "created_at": record.created_at,
            "started_at": record.started_at,
            "finished_at": record.finished_at,
            "expires_at": record.expires_at,
            "timings": record.timings,
            "facts": from_json(record.facts) if record.facts else None,
            "warnings": record.warnings,
            "artifacts": tuple(_artifact(record.id, artifact, (inlined or {}).get(artifact.name)) for artifact in record.artifacts),
            "provenance": record.provenance,
            "error": record.error,
        }
    )


def _artifact(job_id: str, artifact: ArtifactDescription, data: InlineArray | None) -> Artifact:
    return Artifact(**dict(artifact), url=artifact_url(job_id, artifact.name), data=data)
