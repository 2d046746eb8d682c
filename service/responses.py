"""JSON responses that pydantic serialises directly, which FastAPI would do in two steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi.responses import Response
from pydantic import BaseModel

from jobstore.records import JobRecord
from schemas.jobs import job_url

_WITHOUT_ARRAYS = {"artifacts": {"__all__": {"data"}}}


def json_response(content: bytes | str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `content`, which is JSON already."""
    return Response(content, status, headers, "application/json")


def model_response(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return one model as JSON."""
    return json_response(model.model_dump_json(), status, headers)


def list_response(models: Sequence[BaseModel]) -> Response:
    """Return a JSON array of models."""
    return json_response(f"[{','.join(model.model_dump_json() for model in models)}]")


def job_json(job: JobRecord) -> str:
    """Return the job as JSON, without the arrays of its artifacts."""
    return job.model_dump_json(exclude=_WITHOUT_ARRAYS)


def job_response(job: JobRecord, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a job as a JSON response, without the arrays of its artifacts."""
    return json_response(job_json(job), status, headers)


def job_headers(job: JobRecord, waited: float | None) -> dict[str, str]:
    """Return `Location`, `Preference-Applied` if the request asked to wait, and `Retry-After` if the job has not ended.

    `waited` is the number of seconds of `Prefer: wait`; None without that preference.
    """
    headers = {"Location": job_url(job.id)}
    if waited is not None:
        headers["Preference-Applied"] = f"wait={waited:g}"
    if not job.state.ended:
        headers["Retry-After"] = "1" if job.lane == "fast" else "5"
    return headers
