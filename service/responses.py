"""JSON answers, serialised once and by pydantic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi.responses import Response
from pydantic import BaseModel

from jobstore.records import JobRecord
from schemas.jobs import job_url

_WITHOUT_DATA = {"artifacts": {"__all__": {"data"}}}


def json_response(content: bytes | str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(content, status, headers, "application/json")


def model_response(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return json_response(model.model_dump_json(), status, headers)


def list_response(models: Sequence[BaseModel]) -> Response:
    return json_response(f"[{','.join(model.model_dump_json() for model in models)}]")


def job_json(job: JobRecord) -> str:
    """A job without its arrays."""
    return job.model_dump_json(exclude=_WITHOUT_DATA)


def job_response(job: JobRecord, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return json_response(job_json(job), status, headers)


def job_headers(job: JobRecord, waited: float | None) -> dict[str, str]:
    """`Location`; `Preference-Applied` where a `Prefer: wait` was kept to; `Retry-After` while the job has not ended."""
    headers = {"Location": job_url(job.id)}
    if waited is not None:
        headers["Preference-Applied"] = f"wait={waited:g}"
    if not job.state.ended:
        headers["Retry-After"] = "1" if job.lane == "fast" else "5"
    return headers
