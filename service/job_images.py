"""Check the images of a submission by their headers, and keep the uploaded ones for as long as the job lives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.errors import ImageRequired, ImageUnexpected, LimitExceeded, NotFound, VisualizationError
from schemas.methods.several_images import ImagePlace, ImagesParams
from schemas.models import PublishedModel
from service.dependencies import Caller, Services
from service.image_check import ARRAY_FORMAT, ImageHeader, check_image
from service.job_inputs import UncheckedFile, check_fits
from service.kept_uploads import kept_uploads
from service.parse_request import ParsedRequest
from service.settings import ServiceSettings


def check_image_given(parsed: ParsedRequest) -> None:
    """Check that the submission has an image of its own if its method needs one, and none otherwise. It may be among the inputs.

    Raises:
        ImageRequired: the method needs an image and got none.
        ImageUnexpected: the method takes no image and got one.
    """
    card = parsed.params.card
    given = any(each is not None for each in (parsed.image, parsed.image_id, parsed.image_url))
    if card.needs_image and not given and not parsed.inputs:
        raise ImageRequired(
            f"{card.title} needs an image and got none. /v1/methods/{card.name} shows an example.",
            pointer="/image",
            allowed="one image",
            got="none",
        )
    if given and not card.needs_image:
        takes = "takes several images, in `images`" if isinstance(parsed.params, ImagesParams) else "takes no image"
        raise ImageUnexpected(f"{card.title} {takes}; got one in `image`.", pointer="/image", allowed="none", got="one")


def check_image_files(parsed: ParsedRequest, settings: ServiceSettings) -> dict[str, ImageHeader]:
    """Return the header of each image of `params.images` that came as a file, by the image's id.

    Raises:
        BodyTooLarge, UnsupportedFormat, InvalidImage, ImageTooLarge: an image is refused; the error's text names the file.
    """
    headers: dict[str, ImageHeader] = {}
    for image_id, file in parsed.files.items():
        try:
            headers[image_id] = check_image(file.content, settings.image_limits, file.pointer)
        except VisualizationError as error:
            error.detail = f"{file.label}: {error.detail}"
            raise
    return headers


async def keep_images(
    services: Services,
    caller: Caller,
    places: Mapping[str, ImagePlace],
    parsed: ParsedRequest,
    *,
    headers: Mapping[str, ImageHeader],
    models: Sequence[PublishedModel],
) -> None:
    """Keep the images of a job as long as the job, and upload those that came as files once none of them is wrong.

    Args:
        services: the parts of the service.
        caller: the owner of the images.
        places: the place of each image in the parameters, by its id.
        parsed: the request.
        headers: the headers of the images that came as files, by their ids.
        models: the models that are shown the images.

    Raises:
        NotFound: the caller has no such image.
        LimitExceeded: the images have too many pixels together.
        UnsupportedFormat, InvalidParameters, InvalidImage: an image does not fit a model's input.
    """
    uploaded = [image_id for image_id in places if image_id not in headers]
    found = dict(zip(uploaded, await kept_uploads(services, caller, parsed, uploaded), strict=True))
    pixels, most = 0, services.settings.max_images_pixels
    for image_id, place in places.items():
        image, pointer = headers.get(image_id) or found[image_id], f"{parsed.params_pointer}{place.pointer}"
        if image is None:
            raise NotFound(f"There is no image {image_id}. Upload it with POST /v1/images.", pointer=pointer, got=image_id)
        pixels += image.width * image.height
        content = parsed.files[image_id].content if image_id in headers else None
        for published in models:
            takes = published.description.input_at(published.description.input.name, "/params/input")
            await check_fits(services, takes, UncheckedFile(content, image_id, pointer, image.format == ARRAY_FORMAT))
    if pixels > most:
        raise LimitExceeded(
            f"The images of one job have at most {most:,} pixels together; got {pixels:,}. Send fewer or smaller images.",
            pointer=f"{parsed.params_pointer}/images",
            allowed=f"at most {most} pixels",
            got=str(pixels),
        )
    for image_id, header in headers.items():
        await services.store.images.put(caller.owner, parsed.files[image_id].content, header.format, header.width, header.height)


async def keep_named_image(services: Services, caller: Caller, image_id: str, parsed: ParsedRequest, name: str) -> None:
    """Keep the image that the parameter `name` names beside the photo as long as the job.

    Raises:
        NotFound: the caller has no such image.
    """
    (found,) = await kept_uploads(services, caller, parsed, [image_id])
    if found is None:
        pointer = f"{parsed.params_pointer}/{name}"
        raise NotFound(f"There is no image {image_id}. Upload it with POST /v1/images.", pointer=pointer, got=image_id)
