"""From a well-formed submission to a job in the store: checked against its model and its image's header, completed, submitted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import anyio.to_thread
import structlog

from jobstore.records import Submission, Submitted
from schemas.errors import ImageRequired, ImageUnexpected, LimitExceeded, NotFound, VisualizationError
from schemas.methods.base import MethodParams
from schemas.methods.several_images import ImagesParams
from service.dependencies import Caller, Services
from service.image_check import ImageHeader, check_image
from service.parse_request import ParsedRequest
from service.request_preferences import RequestPreferences
from service.settings import ServiceSettings
from service.version import service_version

_log = structlog.get_logger(__name__)


async def submit(services: Services, caller: Caller, parsed: ParsedRequest, preferences: RequestPreferences) -> Submitted:
    """Raises whatever is wrong with the submission, and what the store cannot do at the moment."""
    card = parsed.params.card
    _check_presence(parsed)
    entry = services.models.entry(parsed.model) if card.needs_model else None
    if parsed.image is not None:
        await anyio.to_thread.run_sync(check_image, parsed.image, services.settings.image_limits, parsed.image_pointer)
    headers = await anyio.to_thread.run_sync(_headers, parsed, services.settings)
    published = None if entry is None else await services.models.published(entry)
    limits = services.settings.method_limits
    try:
        resolved = parsed.params.resolve_alone(limits) if published is None else parsed.params.resolve(published, limits)
    except VisualizationError as error:
        error.pointer = _moved(error.pointer, parsed.params_pointer)
        raise
    if isinstance(resolved, ImagesParams):
        await _keep_images(services, caller, resolved.images, parsed, headers)
    submission = Submission(
        owner=caller.owner,
        method=card.name,
        model=parsed.model,
        lane=card.lane,
        priority=parsed.priority,
        params=_canonical(resolved),
        # Preprocessing and labels count, too, and what computes: a new version answers nothing from an old one's results.
        fingerprint=":".join([service_version(), *([] if published is None else [published.description.fingerprint, published.digest])]),
        image=parsed.image,
        image_id=parsed.image_id,
        request_id=caller.request_id,
        fresh=preferences.fresh,
        idempotency_key=preferences.idempotency_key,
        body_digest=_digest(parsed) if preferences.idempotency_key else "",
    )
    submitted = await services.store.jobs.submit(submission)
    job = submitted.job
    if submitted.created:
        services.metrics.count_job(card.name, parsed.model, cached=job.cached)
    _log.info("job_submitted", job_id=job.id, method=card.name, model=parsed.model, state=job.state.value, created=submitted.created)
    return submitted


def _headers(parsed: ParsedRequest, settings: ServiceSettings) -> dict[str, ImageHeader]:
    """Of several images those that came as files, by id.

    Raises:
        BodyTooLarge, UnsupportedFormat, InvalidImage, ImageTooLarge: naming the file.
    """
    found: dict[str, ImageHeader] = {}
    for image_id, file in parsed.files.items():
        try:
            found[image_id] = check_image(file.content, settings.image_limits, file.pointer)
        except VisualizationError as error:
            error.detail = f"{file.label}: {error.detail}"
            raise
    return found


async def _keep_images(
    services: Services, caller: Caller, images: Sequence[str], parsed: ParsedRequest, headers: Mapping[str, ImageHeader]
) -> None:
    """Sees to it that the images are there for this caller, are not too large together, and stay as long as the job. Those that came as
    files are uploaded, once nothing is wrong with any.

    Raises:
        NotFound, LimitExceeded
    """
    before, pointer = [image_id for image_id in images if image_id not in headers], f"{parsed.params_pointer}/images"
    found = dict(zip(before, await services.store.images.keep(caller.owner, before), strict=True))
    pixels, most = 0, services.settings.max_images_pixels
    for number, image_id in enumerate(images):
        image = headers.get(image_id) or found[image_id]
        if image is None:
            raise NotFound(f"There is no image {image_id}; upload it with POST /v1/images.", pointer=f"{pointer}/{number}", got=image_id)
        pixels += image.width * image.height
    if pixels > most:
        raise LimitExceeded(
            f"The images of one job have at most {most:,} pixels together; these have {pixels:,}. Send fewer, or smaller ones.",
            pointer=pointer,
            allowed=f"at most {most} pixels",
            got=str(pixels),
        )
    for image_id, header in headers.items():
        await services.store.images.put(caller.owner, parsed.files[image_id].content, header.format, header.width, header.height)


def _check_presence(parsed: ParsedRequest) -> None:
    card, given = parsed.params.card, parsed.image is not None or parsed.image_id is not None
    if card.needs_image and not given:
        raise ImageRequired(
            f"{card.title} needs an image and got none: give `image` (see /v1/methods/{card.name}).",
            pointer="/image",
            allowed="one image",
            got="none",
        )
    if given and not card.needs_image:
        why = "takes several images, in `images`" if isinstance(parsed.params, ImagesParams) else "works on the model alone"
        raise ImageUnexpected(f"{card.title} {why}: leave the image out.", pointer="/image", allowed="none", got="one")


def _moved(pointer: str | None, prefix: str) -> str | None:
    """`/params/layer` where parameters stand under `prefix`."""
    if pointer is None or not pointer.startswith("/params"):
        return pointer
    return prefix + pointer.removeprefix("/params") or None


def _canonical(params: MethodParams) -> str:
    return json.dumps(params.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digest(parsed: ParsedRequest) -> str:
    """Of what was asked for, not of its bytes: a multipart body has another boundary each time."""
    digest = hashlib.sha256(parsed.image or b"")
    digest.update(
        json.dumps(
            [
                parsed.method,
                parsed.model,
                parsed.priority,
                parsed.image_id,
                parsed.params.model_dump(mode="json", exclude_unset=True),
            ],
            sort_keys=True,
        ).encode()
    )
    return digest.hexdigest()
