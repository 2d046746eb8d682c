"""`/v1/jobs/{id}/artifacts/{name}`: send an artifact in the representation that the caller wants."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response

from jobstore.artifacts import check_has_results
from jobstore.records import JobRecord
from schemas.artifacts import MEDIA, ArtifactDescription, Representation
from schemas.errors import InvalidParameters, NotFound
from schemas.methods.colormap import Colormap
from schemas.nearest_names import nearest_names
from service.artifact_answer import artifact_answer, artifact_headers
from service.dependencies import JobDep, ServicesDep
from service.drawn_maps import DEFAULT_COLORMAP, MAP_PICTURE, drawn_map, is_map
from service.echo import echo
from service.problems import documented
from service.representations import choose, etag, matches
from service.thumbnails import ThumbnailWidth, thumbnail_format, thumbnail_of_png
from service.version import service_version

router = APIRouter(tags=["jobs"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_TEXT = {"schema": {"type": "string"}}
_JSON = {"schema": {"anyOf": [{"$ref": "#/components/schemas/InlineArray"}, {"type": "object", "description": "A document."}]}}
_CONTENT: dict[str, Any] = {
    each.media_type: _TEXT if media.is_text else _BINARY for media in MEDIA.values() for each in media.representations
} | {"application/json": _JSON}
_FORMATS = list(dict.fromkeys(each.name for media in MEDIA.values() for each in media.representations))
_FORMATS_BY_KIND = "; ".join(f"{kind}: {', '.join(each.name for each in media.representations)}" for kind, media in MEDIA.items())


@router.get(
    "/v1/jobs/{job_id}/artifacts/{name}",
    operation_id="get_artifact",
    summary="An artifact of a job",
    response_class=Response,
    responses={
        200: {"description": "The artifact, in the format that was asked for.", "content": _CONTENT},
        304: {"description": "The caller already has this representation."},
    }
    | documented(404, 406, 410, 422, 503),
)
async def get_artifact(
    services: ServicesDep,
    job: JobDep,
    *,
    name: Annotated[str, Path(description="Name of the artifact, as the job's `artifacts` state it.", examples=["overlay"])],
    wanted: Annotated[
        str | None,
        Query(
            alias="format",
            description=f"Name of a format. If it is given, `Accept` is ignored. The formats by kind of artifact are {_FORMATS_BY_KIND}. "
            "A document can only be had in its own format. An array `map` or `map.…` can also be had as png, if the format is named here: "
            "it is drawn in the colours of `colormap`, with the scale of its values.",
            json_schema_extra={"enum": _FORMATS},
        ),
    ] = None,
    width: ThumbnailWidth = None,
    colormap: Annotated[
        Colormap | None, Query(description=f"The colours in which a map is drawn as png. Without it, they are those of {DEFAULT_COLORMAP}.")
    ] = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="ETags of what the caller has. If one matches, the answer is 304.")
    ] = None,
) -> Response:
    """Send an artifact in the format that `format` or `Accept` asks for.

    If neither names a format, the artifact is sent as it is stored: an image as PNG, an animation as WebP, an array as npy, and a document
    in its own format. WebP images are lossless, except thumbnails (`width`), which only images have. A picture whose `sha256` is null is
    drawn when it is first fetched, and then kept.
    """
    artifact = _artifact(job, name)
    representation, tag, convert = _chosen(job, artifact, accept, wanted, width=width, colormap=colormap)
    headers = {"ETag": tag, "Cache-Control": f"private, immutable, max-age={services.settings.result_ttl}"}
    if matches(if_none_match, tag):
        return Response(status_code=304, headers=headers | artifact_headers(artifact))
    return await artifact_answer(services, job, artifact, representation, headers, convert=convert)


_Convert = Callable[[bytes], bytes]


def _chosen(
    job: JobRecord, artifact: ArtifactDescription, accept: str | None, wanted: str | None, *, width: int | None, colormap: Colormap | None
) -> tuple[Representation, str, _Convert | None]:
    """Return the representation that the caller asks for, its ETag, and the function that makes it if no converter of its kind does."""
    if width is not None:
        _check_has_thumbnail(artifact, width)
        representation = thumbnail_format(accept, wanted, max(artifact.shape[:2]))
        tag = etag(job, artifact, representation, width)
        return representation, tag, partial(thumbnail_of_png, width=width, representation=representation)
    representation = choose(artifact, accept, wanted, [MAP_PICTURE] if wanted and is_map(artifact) else [])
    if representation is MAP_PICTURE:
        colours = colormap or DEFAULT_COLORMAP
        return representation, f'"{artifact.sha256}-{colours}-{service_version()}"', partial(drawn_map, colormap=colours)
    if colormap is not None:
        raise InvalidParameters(
            f"Only a map that is sent as png takes a colormap. The artifact {artifact.name} is {artifact.media.phrase} and is asked for as "
            f"{representation.name}. " + ("Add `format=png`." if is_map(artifact) else "Leave `colormap` out."),
            pointer="/colormap",
            allowed="no colormap",
            got=colormap,
        )
    return representation, etag(job, artifact, representation), None


def _check_has_thumbnail(artifact: ArtifactDescription, width: int) -> None:
    if artifact.kind != "image":
        raise InvalidParameters(
            f"Only images have thumbnails, and the artifact {artifact.name} is {artifact.media.phrase}. Leave `width` out.",
            pointer="/width",
            allowed="no width",
            got=str(width),
        )


def _artifact(job: JobRecord, name: str) -> ArtifactDescription:
    check_has_results(job)
    by_name = {artifact.name: artifact for artifact in job.artifacts}
    if name in by_name:
        return by_name[name]
    existing = f"Its artifacts are: {', '.join(by_name)}." if by_name else f"It has no artifacts, because it is {job.state}."
    raise NotFound(
        f"Job {job.id} has no artifact '{echo(name)}'. {existing}",
        got=echo(name),
        allowed=", ".join(by_name) or None,
        nearest=nearest_names(name, by_name),
    )
