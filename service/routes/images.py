"""The routes under `/v1/images`: upload an image once for many jobs, see it again, list the uploads, delete one."""

from __future__ import annotations

import re
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from decoding.array_file import read_array
from jobstore.keys import image_sha256
from jobstore.records import ImageRecord
from schemas.errors import ImageRequired, NotFound
from schemas.images import IMAGE_ID_PATTERN, UploadedImage, UploadedImagePage, image_url
from service.auth import OwnerDep
from service.dependencies import CallerDep, ServicesDep
from service.echo import echo
from service.image_check import ARRAY_FORMAT, check_image
from service.image_contents import STORED_AS
from service.parse_upload import parse_upload
from service.problems import documented
from service.representations import choose_from, matches, thumbnail_etag
from service.responses import model_response
from service.signed_addresses import Sign
from service.thumbnails import FORMATS, ThumbnailWidth, thumbnail_format

router = APIRouter(tags=["images"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": {"$ref": "#/components/schemas/ImageForm"}, "example": {"image": "the bytes of cat.jpg"}},
            "image/*": {"schema": {"type": "string", "format": "binary"}, "example": "the bytes of cat.jpg"},
            "application/x-npy": {"schema": {"type": "string", "format": "binary"}, "example": "the bytes of image.npy"},
        },
    }
}
_CONTENT: dict[str, Any] = {each.media_type: {"schema": {"type": "string", "format": "binary"}} for each in (*STORED_AS.values(), *FORMATS)}


@router.post(
    "/v1/images",
    operation_id="upload_image",
    summary="Upload an image",
    status_code=201,
    response_model=UploadedImage,
    response_description="The image is stored. Jobs can name its id in place of the image.",
    responses=documented(400, 413, 415, 422, 503),
    openapi_extra=_BODY,
)
async def upload_image(request: Request, services: ServicesDep, caller: CallerDep) -> Response:
    """The body is multipart with the file part `image`, or the file itself with a Content-Type of `image/…`. An array may take the place
    of an image, as an `.npy` file (`application/x-npy`) with finite numbers. The same file always has the same id. The format and the
    dimensions of an image are read from its header; it is decoded when a job uses it."""
    content = await parse_upload(request, services.settings)
    if not content:
        raise ImageRequired("An upload needs one image file; got none.", pointer="/image", allowed="one image", got="none")
    header = await anyio.to_thread.run_sync(check_image, content, services.settings.image_limits, "/image")
    if header.format == ARRAY_FORMAT:
        await anyio.to_thread.run_sync(read_array, content, "/image")
    image = await services.store.images.put(caller.owner, content, header.format, header.width, header.height)
    return model_response(_shown(image, caller.sign), 201)


@router.get(
    "/v1/images",
    operation_id="list_images",
    summary="List your uploads",
    response_model=UploadedImagePage,
    responses=documented(422, 503),
)
async def list_images(
    services: ServicesDep,
    caller: CallerDep,
    *,
    cursor: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9]{1,15}-[0-9a-f]{64}$",
            description="The `next_cursor` of the page before. Without it, the first page is answered.",
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="A page has at most this many images.")] = 50,
) -> Response:
    """The image that was uploaded last comes first. Images that came inside a job's request are not listed."""
    images, next_cursor = await services.store.images.page(caller.owner, cursor=cursor, limit=limit)
    return model_response(UploadedImagePage(items=tuple(_shown(image, caller.sign) for image in images), next_cursor=next_cursor))


async def _upload(
    image_id: Annotated[
        str, Path(description="This is the id that `POST /v1/images` answered: `img_`, followed by the sha256 of the file in hex.")
    ],
    services: ServicesDep,
    owner: OwnerDep,
) -> ImageRecord:
    image = await services.store.images.uploaded(owner, image_id) if re.fullmatch(IMAGE_ID_PATTERN, image_id) else None
    if image is None:
        raise NotFound(
            f"There is no image '{echo(image_id)}'. It was never uploaded, or it was deleted, or it has expired.", got=echo(image_id)
        )
    return image


UploadDep = Annotated[ImageRecord, Depends(_upload)]


@router.get(
    "/v1/images/{image_id}",
    operation_id="get_image",
    summary="An uploaded image",
    response_class=Response,
    responses={
        200: {"description": "The image, as it was uploaded or as a thumbnail.", "content": _CONTENT},
        304: {"description": "The caller already has this representation."},
    }
    | documented(404, 406, 410, 415, 422, 503),
)
async def get_image(
    services: ServicesDep,
    caller: CallerDep,
    image: UploadDep,
    *,
    width: ThumbnailWidth = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="ETags of what the caller has. If one matches, the answer is 304.")
    ] = None,
) -> Response:
    """Without `width`, the answer is the file as it was uploaded. With `width`, it is a thumbnail of the first frame, upright as its
    EXIF orientation says. The thumbnail of an array shows its first three channels, or its first one if it has fewer."""
    digest = image_sha256(image.id)
    if width is None:
        representation = choose_from([STORED_AS[image.format]], accept, None, "An uploaded image is sent as it came.")
        tag = f'"{digest}"'
    else:
        representation = thumbnail_format(accept, None, max(image.width, image.height))
        tag = thumbnail_etag(digest, representation, width)
    headers = {
        "ETag": tag,
        "Cache-Control": f"private, immutable, max-age={services.settings.result_ttl}",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
    }
    if matches(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    if width is None:
        content = await services.image_contents.file(caller.owner, image)
    else:
        content = await services.image_contents.thumbnail(caller.owner, image, width, representation)
    disposition = {"Content-Disposition": f'inline; filename="{image.id[:16]}.{representation.name}"'}
    return Response(content, 200, headers | disposition, representation.media_type)


@router.delete(
    "/v1/images/{image_id}",
    operation_id="delete_image",
    summary="Delete an upload",
    status_code=204,
    responses=documented(404, 503),
)
async def delete_image(services: ServicesDep, image: UploadDep, owner: OwnerDep) -> Response:
    """The image is forgotten, and no new job can name it. Jobs that were submitted with it go on, and so do the items of a batch that
    name it. A set that names it keeps it. The file is deleted when none of them needs it. If another caller has uploaded the same file,
    that upload stays."""
    await services.store.images.delete(owner, image.id)
    return Response(status_code=204)


def _shown(image: ImageRecord, sign: Sign | None) -> UploadedImage:
    url = image_url(image.id)
    return UploadedImage(
        id=image.id,
        format=image.format,
        width=image.width,
        height=image.height,
        size=image.size,
        expires_at=image.expires_at,
        url=url if sign is None else sign(url),
    )
