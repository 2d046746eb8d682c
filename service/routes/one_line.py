"""`POST /v1/{method}`: for every method, one line of curl leads from a photo to a picture."""

from __future__ import annotations

import time
from typing import Any

import anyio.to_thread
import structlog
from fastapi import APIRouter, Request, Response

from jobstore.records import JobRecord
from schemas.errors import Expired, InvalidParameters, NotAcceptable, NotFinished, StateConflict, UnknownMethod, VisualizationError
from schemas.jobs import JobState
from schemas.methods import METHODS, params_class
from schemas.methods.card import MethodCard
from service.artifact_answer import artifact_answer
from service.content_negotiation import preferred_media_type
from service.converters import job_with_arrays, zipped
from service.dependencies import Caller, CallerDep, Services, ServicesDep
from service.echo import echo
from service.job_archive import ArchiveChoice, job_archive
from service.job_remarks import add_remarks
from service.job_wait import CallerDisconnected, wait_until_ended
from service.one_line_address import ONE_LINE_PATH
from service.one_line_media import JSON, ZIP, can_answer, offered, single_artifact
from service.parse_request import parse_one_line_request
from service.problems import documented, problem_response
from service.representations import file_name
from service.request_preferences import PreferencesDep, RequestPreferences
from service.responses import job_headers, job_response, json_response, with_signed_addresses
from service.signed_addresses import Sign
from service.submit_job import submit

_log = structlog.get_logger(__name__)


router = APIRouter(tags=["one line"])


_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The job has finished, and this is its result."},
    202: {"description": "The caller prefers `respond-async`, and this is the job. `Location` is its address."},
}


@router.post(
    ONE_LINE_PATH,
    response_class=Response,
    responses=_RESPONSES | documented(400, 404, 406, 409, 410, 413, 415, 422, 429, 500, 502, 503, 504),
)
async def one_line(request: Request, services: ServicesDep, caller: CallerDep, preferences: PreferencesDep) -> Response:
    """Answer a picture, all arrays or all artifacts. `service.one_line_operations` describes this in the document, for each method."""
    card = METHODS[request.path_params["method"]].card
    return await _run(request, services, caller, preferences, card=card, media_types=offered(card))


@router.post("/v1/{method}.json", include_in_schema=False)
async def _answer_json(method: str, request: Request, services: ServicesDep, caller: CallerDep, preferences: PreferencesDep) -> Response:
    try:
        card = params_class(method).card
    except UnknownMethod as error:
        error.pointer, error.got = None, echo(method)
        raise
    return await _run(request, services, caller, preferences, card=card, media_types=[JSON])


async def _run(
    request: Request, services: Services, caller: Caller, preferences: RequestPreferences, *, card: MethodCard, media_types: list[str]
) -> Response:
    accept = ", ".join(request.headers.getlist("accept")) or None
    if preferred_media_type(accept, media_types) is None:
        allowed = ", ".join(media_types)
        detail = f"{card.title} can answer as {allowed}, but the request asks for {accept}."
        raise NotAcceptable(detail, allowed=allowed, got=accept)
    try:
        parsed = await parse_one_line_request(request, card.name, services.settings)
    except InvalidParameters as error:
        raise await services.models.suggest(error) from None
    wait = min(services.settings.default_wait if preferences.wait is None else preferences.wait, services.settings.max_wait)
    until = time.monotonic() + wait
    submitted = await submit(services, caller, parsed, preferences, wait, short_lived=wait > 0)
    try:
        job = await wait_until_ended(services, submitted.job, until - time.monotonic(), request, patiently=True)
    except CallerDisconnected:
        # A caller that gave an idempotency key intends to come back for the answer.
        if preferences.idempotency_key is None:
            await _cancel(services, submitted.job)
        raise
    headers = job_headers(job, None if preferences.wait is None else wait)
    if not job.state.ended and preferences.respond_async:
        return job_response(job, 202, headers, sign=caller.sign)
    if not job.state.ended:
        why = "The service is shutting down" if services.drain.begun else f"Job {job.id} has not finished within {wait:g} s"
        detail = f"{why}. Job {job.id} goes on, and the same request joins it."
        return problem_response(NotFinished(detail), caller.request_id, headers)
    _check_succeeded(job)
    return await _answer(services, job, _available(card, job, accept, media_types), headers, caller.sign)


def _available(card: MethodCard, job: JobRecord, accept: str | None, media_types: list[str]) -> str:
    """Return the media type of the answer. An optional artifact may be missing, so the job decides what is available.

    Raises:
        NotAcceptable: The job has none of the artifacts that the caller accepts.
    """
    available = [each for each in media_types if can_answer(job.artifacts, each)]
    media_type = preferred_media_type(accept, available)
    if media_type is None:
        optional = " ".join(f"'{spec.name}': {spec.description}" for spec in card.artifacts if spec.optional)
        raise NotAcceptable(
            f"Job {job.id} has nothing to answer as {preferred_media_type(accept, media_types)}. {' '.join(job.warnings) or optional}",
            allowed=", ".join(available),
            got=accept,
        )
    return media_type


async def _cancel(services: Services, job: JobRecord) -> None:
    try:
        await services.store.jobs.cancel(job.id, job.owner)
        _log.info("caller_gone", job_id=job.id)
    except VisualizationError as error:  # the job has ended or Redis is away, and the caller has left, so nobody needs the error
        _log.info("caller_gone", job_id=job.id, not_canceled=error.detail)


def _check_succeeded(job: JobRecord) -> None:
    match job.state:
        case JobState.FAILED if job.error is not None:
            raise job.error.as_exception()
        case JobState.CANCELED:
            raise StateConflict(f"Job {job.id} was canceled before it finished.")
        case JobState.EXPIRED:
            raise Expired(f"Job {job.id} expired before it was run.")
        case _:
            pass


async def _answer(services: Services, job: JobRecord, media_type: str, headers: dict[str, str], sign: Sign | None) -> Response:
    if single := single_artifact(job.artifacts, media_type):
        answer = await artifact_answer(services, job, *single, headers)
        add_remarks(answer, job)
        return answer
    headers |= {"Vary": "Accept", "X-Content-Type-Options": "nosniff"}
    if media_type == ZIP:
        return await job_archive(services, job, ArchiveChoice(frozenset()), headers)
    names = [artifact.name for artifact in job.artifacts if artifact.kind == "array"]
    contents = await services.contents.read_all(job, names)
    if media_type == JSON:
        signed = with_signed_addresses(job, sign)
        return json_response(await anyio.to_thread.run_sync(job_with_arrays, signed, contents), 200, headers)
    headers["Content-Disposition"] = f'attachment; filename="{file_name(job.method, job.id)}.npz"'
    files = [(f"{name}.npy", content) for name, content in contents.items()]
    return Response(await anyio.to_thread.run_sync(zipped, files), 200, headers, media_type)
