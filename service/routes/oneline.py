"""`POST /v1/{method}`: one line of curl from a photo to a picture, for every method of the registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
import structlog
from fastapi import APIRouter, Request, Response

from jobstore.records import ArtifactRecord, JobRecord
from schemas.errors import Expired, NotAcceptable, StateConflict, VisualizationError
from schemas.jobs import JobState
from schemas.methods import METHODS
from schemas.methods.card import MethodCard
from schemas.methods.several_images import ImagesParams
from service.content_negotiation import preferred_media_type
from service.dependencies import CallerDep, Services, ServicesDep
from service.job_wait import CallerDisconnected, wait_until_ended
from service.one_line_forms import ONE_LINE_FORMS
from service.parse_request import parse_one_line_request
from service.problems import documented
from service.representations import DOCUMENT_HEADERS, FORMS, Form, file_name, forms_of, inline, represent, zipped
from service.request_preferences import PreferencesDep
from service.responses import job_headers, job_json, job_response, json_response
from service.submit_job import submit
from service.views import job_view

_IMAGES = {form.media_type: form for form in FORMS["image"]}
_DOCUMENTS = {form.media_type: form for form in FORMS["document"] if form.media_type != "application/json"}  # that answers the job
_ANIMATIONS = {form.media_type: form for form in FORMS["animation"] if form.media_type not in _IMAGES}  # those answer the image
_JSON, _NPZ, _ZIP = "application/json", "application/x-npz", "application/zip"
_CLIENT_CLOSED = 499
_ANSWER = "The answer is what `Accept` asks for; unless told otherwise, the primary image as PNG."
_SEVERAL = " Each image is a part of its own, a file or an id: `curl -F images=@a.jpg -F images=@b.jpg -F model=…`."

_log = structlog.get_logger(__name__)


def oneline_router() -> APIRouter:
    router = APIRouter(tags=["one line"])
    for name, params in METHODS.items():
        router.add_api_route(
            f"/v1/{name}",
            _endpoint(params.card),
            methods=["POST"],
            operation_id=name,
            summary=params.card.title,
            description=f"{params.card.summary} {_ANSWER}{_SEVERAL if issubclass(params, ImagesParams) else ''}",
            response_class=Response,
            responses=_documented(params.card),
            openapi_extra={
                "requestBody": {
                    "required": True,
                    "content": {"multipart/form-data": {"schema": {"$ref": f"#/components/schemas/{ONE_LINE_FORMS[name].__name__}"}}},
                }
            },
        )
    return router


def _documented(card: MethodCard) -> dict[int | str, dict[str, Any]]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    content: dict[str, Any] = dict.fromkeys(_offered(card), binary)
    job = {"schema": {"$ref": "#/components/schemas/Job"}}
    content[_JSON] = job
    return {
        200: {"description": "Finished.", "content": content},
        202: {"description": "Not finished in time: see `Location`.", "content": {_JSON: job}},
    } | documented(400, 404, 406, 409, 410, 413, 415, 422, 429, 500, 503, 504)


def _offered(card: MethodCard) -> list[str]:
    images = list(_IMAGES) if any(spec.primary and spec.kind == "image" for spec in card.artifacts) else []
    animations = list(_ANIMATIONS) if any(spec.kind == "animation" for spec in card.artifacts) else []
    documents = [spec.media_type for spec in card.artifacts if spec.media_type in _DOCUMENTS]
    arrays = [_NPZ] if any(spec.kind == "array" for spec in card.artifacts) else []
    return [*images, *animations, *documents, _JSON, *arrays, _ZIP]


def _endpoint(card: MethodCard) -> Callable[..., Awaitable[Response]]:
    offered = _offered(card)

    async def one_line(request: Request, services: ServicesDep, caller: CallerDep, preferences: PreferencesDep) -> Response:
        accept = ", ".join(request.headers.getlist("accept")) or None
        media_type = preferred_media_type(accept, offered)
        if media_type is None:
            raise NotAcceptable(
                f"{card.title} can be answered as {', '.join(offered)}; asked for {accept}.", allowed=", ".join(offered), got=accept
            )
        parsed = await parse_one_line_request(request, card.name, services.settings)
        submitted = await submit(services, caller, parsed, preferences)
        wait = min(services.settings.default_wait if preferences.wait is None else preferences.wait, services.settings.max_wait)
        try:
            job = await wait_until_ended(services, submitted.job, wait, request)
        except CallerDisconnected:
            # Who gave a key means to come back for the answer.
            if preferences.idempotency_key is None:
                await _cancel(services, submitted.job)
            return Response(status_code=_CLIENT_CLOSED)
        headers = job_headers(job, None if preferences.wait is None else wait)
        if not job.state.ended:
            return job_response(job, 202, headers)
        _check_succeeded(job)
        made = preferred_media_type(accept, [each for each in offered if _is_made(job, each)])
        if made is None:
            optional = " ".join(f"'{spec.name}': {spec.description}" for spec in card.artifacts if spec.optional)
            raise NotAcceptable(
                f"Job {job.id} has nothing as {media_type}. {' '.join(job.warnings) or optional}",
                allowed=", ".join(each for each in offered if _is_made(job, each)),
                got=accept,
            )
        return await _answer(services, job, made, headers)

    return one_line


def _is_made(job: JobRecord, media_type: str) -> bool:
    """Whether the job has what it takes: an optional artifact may be missing."""
    return media_type in (_JSON, _NPZ, _ZIP) or _shown_as(job, media_type) is not None


def _shown_as(job: JobRecord, media_type: str) -> tuple[ArtifactRecord, Form] | None:
    """The one artifact that answers as `media_type`."""
    for forms, found in (
        (_IMAGES, [artifact for artifact in job.artifacts if artifact.primary]),
        (_ANIMATIONS, [artifact for artifact in job.artifacts if artifact.kind == "animation"]),
        (_DOCUMENTS, [artifact for artifact in job.artifacts if artifact.media_type == media_type]),
    ):
        if media_type in forms and found:
            return found[0], forms[media_type]
    return None


async def _cancel(services: Services, job: JobRecord) -> None:
    try:
        await services.store.jobs.cancel(job.id, job.owner)
        _log.info("caller_gone", job_id=job.id)
    except VisualizationError as error:  # it ended meanwhile, or the broker is away: nobody is left to be told
        _log.info("caller_gone", job_id=job.id, not_canceled=error.detail)


def _check_succeeded(job: JobRecord) -> None:
    match job.state:
        case JobState.FAILED if job.error is not None:
            raise job.error.as_exception()
        case JobState.CANCELED:
            raise StateConflict(f"Job {job.id} was canceled.")
        case JobState.EXPIRED:
            raise Expired(f"Job {job.id} expired before it was run.")
        case _:
            pass


async def _answer(services: Services, job: JobRecord, media_type: str, headers: dict[str, str]) -> Response:
    headers |= {"Vary": "Accept", "X-Content-Type-Options": "nosniff"}
    if shown := _shown_as(job, media_type):
        artifact, form = shown
        content = await services.store.artifacts.read(job.id, job.owner, artifact.name)
        if not form.native:
            content = await anyio.to_thread.run_sync(represent, content, artifact.name, form)
        headers |= DOCUMENT_HEADERS if artifact.kind == "document" else {}
        headers["Content-Disposition"] = f'inline; filename="{file_name(job.method, artifact.name)}.{form.name}"'
        return Response(content, 200, headers, media_type)
    contents = {
        artifact.name: await services.store.artifacts.read(job.id, job.owner, artifact.name)
        for artifact in job.artifacts
        if artifact.kind == "array" or media_type == _ZIP
    }
    if media_type == _JSON:
        arrays = await anyio.to_thread.run_sync(lambda: {name: inline(content) for name, content in contents.items()})
        return json_response(job_view(job, arrays).model_dump_json(), 200, headers)
    files = _files(job, contents, of_job=media_type == _ZIP)
    suffix = "zip" if media_type == _ZIP else "npz"
    headers["Content-Disposition"] = f'attachment; filename="{file_name(job.method, job.id)}.{suffix}"'
    return Response(await anyio.to_thread.run_sync(zipped, files), 200, headers, media_type)


def _files(job: JobRecord, contents: dict[str, bytes], *, of_job: bool) -> list[tuple[str, bytes]]:
    """An npz has each array under its artifact's name; a zip file has names that any file system takes, and the job."""
    if not of_job:
        return [(f"{name}.npy", content) for name, content in contents.items()]
    suffixes = {artifact.name: next(form.name for form in forms_of(artifact) if form.native) for artifact in job.artifacts}
    files = [(f"{file_name(name)}.{suffixes[name]}", content) for name, content in contents.items()]
    return [*files, ("job.json", job_json(job_view(job)).encode())]
