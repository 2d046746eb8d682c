"""Read the body of `POST /v1/images`."""

from __future__ import annotations

from fastapi import Request

from service.media_type import media_type_of, unsupported_media_type
from service.multipart import check_file_parts, image_bytes_exceeded, open_form, read_single_image
from service.settings import ServiceSettings

ARRAY_MEDIA_TYPES = ("application/x-npy",)


async def parse_upload(request: Request, settings: ServiceSettings) -> bytes | None:
    """Return the bytes of the image file or the .npy file, which are not yet looked at; None if the form holds no file.

    The body is multipart with the file part `image`, or the file itself with a Content-Type `image/…` or `application/x-npy`.

    Raises:
        MalformedBody: the form cannot be read.
        BodyTooLarge: the file has more than `max_image_bytes`, counted while they arrive.
        UnsupportedFormat: the body is neither a form nor an image.
        InvalidParameters: the form holds other files, or several images.
    """
    media_type = media_type_of(request)
    if media_type == "multipart/form-data":
        async with open_form(request, settings, several_images=False) as form:
            check_file_parts(form, ("image",))
            return await read_single_image(form, settings)
    if not media_type.startswith("image/") and media_type not in ARRAY_MEDIA_TYPES:
        raise unsupported_media_type(media_type, "multipart/form-data", "image/*", *ARRAY_MEDIA_TYPES)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > settings.max_image_bytes:
            raise image_bytes_exceeded(settings, len(content))
    return bytes(content)
