"""JSON responses that pydantic serialises directly, which FastAPI would do in two steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi.responses import Response
from pydantic import BaseModel

from jobstore.records import JobRecord
from schemas.jobs import job_url
from service.signed_addresses import Sign

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


def job_json(job: JobRecord, sign: Sign | None = None) -> str:
    """Return the job as JSON, without the arrays of its artifacts. `sign` signs its addresses for a caller who has a key."""
    return with_signed_addresses(job, sign).model_dump_json(exclude=_WITHOUT_ARRAYS)


def with_signed_addresses(job: JobRecord, sign: Sign | None) -> JobRecord:
    """Return the job with the addresses that `sign` makes of its own; without `sign`, return it as it is."""
    if sign is None:
        return job
    artifacts = tuple(each.model_copy(update={"url": sign(each.url)}) for each in job.artifacts)
    return job.model_copy(update={"url": sign(job.url), "events_url": sign(job.events_url), "artifacts": artifacts})


def job_response(job: JobRecord, status: int = 200, headers: Mapping[str, str] | None = None, *, sign: Sign | None = None) -> Response:
    """Return a job as a JSON response, without the arrays of its artifacts. See `job_json` about `sign`."""
    return json_response(job_json(job, sign), status, headers)


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
