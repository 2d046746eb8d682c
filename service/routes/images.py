"""The route `/v1/images`, where an image is uploaded once for many jobs."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from decoding.array_file import read_array
from schemas.errors import ImageRequired
from schemas.images import UploadedImage
from service.auth import OwnerDep
from service.dependencies import ServicesDep
from service.image_check import ARRAY_FORMAT, check_image
from service.parse_upload import parse_upload
from service.problems import documented
from service.responses import model_response

router = APIRouter(tags=["images"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": {"$ref": "#/components/schemas/ImageForm"}},
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/x-npy": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


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
async def upload_image(request: Request, services: ServicesDep, owner: OwnerDep) -> Response:
    """The body is multipart with the file part `image`, or the file itself with a Content-Type of `image/…`. An array may take the place
    of an image, as an `.npy` file (`application/x-npy`) with finite numbers. The same file always has the same id. The format and the
    dimensions of an image are read from its header; it is decoded when a job uses it."""
    content = await parse_upload(request, services.settings)
    if not content:
        raise ImageRequired("An upload needs one image file; got none.", pointer="/image", allowed="one image", got="none")
    header = await anyio.to_thread.run_sync(check_image, content, services.settings.image_limits, "/image")
    if header.format == ARRAY_FORMAT:
        await anyio.to_thread.run_sync(read_array, content, "/image")
    image = await services.store.images.put(owner, content, header.format, header.width, header.height)
    return model_response(
        UploadedImage(
            id=image.id, format=image.format, width=image.width, height=image.height, size=image.size, expires_at=image.expires_at
        ),
        201,
    )
