"""`POST /v1/jobs.zip` and `GET /v1/jobs/{id}/artifacts.zip`: a job and its artifacts as one zip file."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request, Response

from jobstore.artifacts import check_has_results
from schemas.errors import InvalidParameters, NotFound
from schemas.jobs import JobState
from service.dependencies import CallerDep, JobDep, ServicesDep
from service.job_archive import ArchiveChoice, NamesQuery, job_archive
from service.job_wait import wait_until_ended
from service.one_line_media import ZIP
from service.parse_request import parse_job_request
from service.problems import documented
from service.request_preferences import PreferencesDep
from service.responses import job_headers, job_response
from service.routes.jobs import JOB_CONTENT, SUBMISSION
from service.submit_job import submit

router = APIRouter(tags=["jobs"])

_ARCHIVE: dict[str, Any] = {ZIP: {"schema": {"type": "string", "format": "binary"}}}
_ENDED = "The job has ended. If it has succeeded, this is the zip file. A job that has failed or was canceled is answered as JSON."


@router.post(
    "/v1/jobs.zip",
    operation_id="submit_job_zip",
    summary="Submit a job and get its artifacts",
    response_class=Response,
    responses={
        200: {"description": _ENDED, "content": {**_ARCHIVE, **JOB_CONTENT}},
        202: {"description": "The job has not ended in time. This is the job, and `Location` is its address.", "content": JOB_CONTENT},
    }
    | documented(400, 404, 410, 413, 415, 422, 429, 502, 503),
    openapi_extra=SUBMISSION,
)
async def submit_job_zip(
    request: Request, services: ServicesDep, caller: CallerDep, preferences: PreferencesDep, names: NamesQuery = ""
) -> Response:
    """The body is that of `POST /v1/jobs`. The answer waits for the job's end, 30 seconds unless `Prefer: wait` says otherwise. The zip
    file has the artifacts and, as `job.json`, the job with its facts, so that many short jobs take one request each."""
    try:
        parsed = await parse_job_request(request, services.settings)
    except InvalidParameters as error:
        raise await services.models.suggest(error) from None
    choice = ArchiveChoice.read(names, parsed.method)
    wait = min(services.settings.default_wait if preferences.wait is None else preferences.wait, services.settings.max_wait)
    wait = 0.0 if preferences.respond_async else wait
    until = time.monotonic() + wait
    job = (await submit(services, caller, parsed, preferences, wait, short_lived=wait > 0)).job
    job = await wait_until_ended(services, job, until - time.monotonic(), request)
    headers = job_headers(job, None if preferences.wait is None else wait)
    if job.state is JobState.SUCCEEDED:
        return await job_archive(services, job, choice, headers)
    return job_response(job, 200 if job.state.ended else 202, headers, sign=caller.sign)


@router.get(
    "/v1/jobs/{job_id}/artifacts.zip",
    operation_id="job_archive",
    summary="Download the artifacts of a job",
    response_class=Response,
    responses={200: {"description": "A zip file with the artifacts and the job.", "content": _ARCHIVE}} | documented(404, 410, 422, 503),
)
async def get_job_archive(services: ServicesDep, job: JobDep, names: NamesQuery = "") -> Response:
    """The last file in it, `job.json`, is the job. Its addresses have no signature, so that the file is the same at every download."""
    choice = ArchiveChoice.read(names, job.method)
    check_has_results(job)
    if job.state is not JobState.SUCCEEDED:
        raise NotFound(f"Job {job.id} has no artifacts: it is {job.state.value}. A job has artifacts once it has succeeded.")
    return await job_archive(services, job, choice, {})
