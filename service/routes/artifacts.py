"""`/v1/jobs/{id}/artifacts/{name}`: a result, in the form the caller wants."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Header, Path, Query, Response

from jobstore.records import ArtifactRecord, JobRecord
from schemas.errors import Expired, NotFound, nearest_names
from schemas.jobs import JobState
from service.dependencies import JobDep, ServicesDep
from service.echo import echo
from service.problems import documented
from service.representations import DOCUMENT_HEADERS, FORMS, choose, etag, file_name, matches, represent

router = APIRouter(tags=["jobs"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_TEXT = {"schema": {"type": "string"}}
_JSON = {"schema": {"anyOf": [{"$ref": "#/components/schemas/InlineArray"}, {"type": "object", "description": "A document."}]}}
_CONTENT: dict[str, Any] = (
    {form.media_type: _BINARY for kind in ("image", "animation", "array") for form in FORMS[kind]}
    | {form.media_type: _TEXT for form in FORMS["document"]}
    | {"application/json": _JSON}
)


@router.get(
    "/v1/jobs/{job_id}/artifacts/{name}",
    operation_id="get_artifact",
    summary="An artifact of a job",
    response_class=Response,
    responses={200: {"description": "The artifact, in the form asked for.", "content": _CONTENT}, 304: {"description": "Not modified."}}
    | documented(404, 406, 410, 503),
)
async def get_artifact(
    services: ServicesDep,
    job: JobDep,
    *,
    name: Annotated[str, Path(description="As the job's `artifacts` name it.", examples=["overlay"])],
    wanted: Annotated[
        str | None,
        Query(
            alias="format",
            description="Instead of `Accept`: png, webp, jpeg of an image; webp, gif of an animation; npy, npz, json of an array; a "
            "document has one.",
            json_schema_extra={"enum": list(dict.fromkeys(form.name for forms in FORMS.values() for form in forms))},
        ),
    ] = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match", description="ETags the caller has.")] = None,
) -> Response:
    """Images as PNG (as stored), WebP (lossless) or JPEG; animations as WebP (as stored) or GIF; arrays as npy (as stored), npz or JSON;
    documents as they are."""
    artifact = _artifact(job, name)
    form = choose(artifact, accept, wanted)
    tag = etag(artifact.sha256, form)
    headers = {
        "ETag": tag,
        "Cache-Control": f"private, immutable, max-age={services.settings.result_ttl}",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
    } | (DOCUMENT_HEADERS if artifact.kind == "document" else {})
    if matches(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    content = await services.store.artifacts.read(job.id, job.owner, name)
    if not form.native:
        content = await anyio.to_thread.run_sync(represent, content, name, form)
    headers["Content-Disposition"] = f'inline; filename="{file_name(job.method, name)}.{form.name}"'
    return Response(content, 200, headers, form.media_type)


def _artifact(job: JobRecord, name: str) -> ArtifactRecord:
    if job.state is JobState.EXPIRED:
        raise Expired(f"Job {job.id} has expired, and its artifacts with it.")
    names = {artifact.name: artifact for artifact in job.artifacts}
    if name in names:
        return names[name]
    nearest = nearest_names(name, names)
    what = f"It has: {', '.join(names)}." if names else f"It has none: it is {job.state}."
    raise NotFound(
        f"Job {job.id} has no artifact '{echo(name)}'. {what}", got=echo(name), allowed=", ".join(names) or None, nearest=nearest
    )
