"""Check, before a job is queued, that a mask image has the photo's size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import anyio.to_thread

from schemas.errors import Expired, InvalidParameters
from schemas.methods.base import MethodParams
from schemas.methods.photo_regions import PhotoRegionsParams
from schemas.methods.target_class import TargetClassParams
from schemas.methods.targets import RegionTarget, mask_image
from service.dependencies import Caller, Services
from service.image_check import upright_size
from service.kept_uploads import kept_uploads
from service.parse_request import ParsedRequest


@dataclass(frozen=True)
class _Mask:
    """A mask, its place in the parameters, and the id of the photo whose size it should have. None stands for a photo in the request."""

    pointer: str
    mask_id: str
    photo_id: str | None


async def check_mask_size(services: Services, caller: Caller, params: MethodParams, parsed: ParsedRequest) -> None:
    """Check that the masks of the target, of `region` and of `regions`, if there are any, have the width and height of their photos.

    All are turned upright as EXIF says.

    A photo or a mask that this caller has not uploaded, or that has expired, is not looked at: the submission itself is then refused. If a
    header does not say how its picture is turned, the worker checks the sizes.

    Raises:
        InvalidParameters: the sizes differ.
    """
    if not (masks := list(_masks(params, parsed))):
        return
    named = {each for mask in masks for each in (mask.mask_id, mask.photo_id) if each is not None and each not in parsed.files}
    asked = sorted(named)
    kept = {each for each, record in zip(asked, await kept_uploads(services, caller, parsed, asked), strict=True) if record is not None}
    for each in masks:
        got, allowed = [await _size(services, parsed, image_id, kept) for image_id in (each.mask_id, each.photo_id)]
        if got is not None and allowed is not None and got != allowed:
            texts = [f"{width}×{height}" for width, height in (got, allowed)]
            raise InvalidParameters(
                f"The mask has {texts[0]} pixels (width × height), and the photo {texts[1]}.",
                pointer=f"{parsed.params_pointer}/{each.pointer}",
                allowed=texts[1],
                got=texts[0],
            )


def _masks(params: MethodParams, parsed: ParsedRequest) -> Iterator[_Mask]:
    """Yield the masks that the parameters name."""
    target = params.target if isinstance(params, TargetClassParams) else None
    if isinstance(target, RegionTarget) and (mask := mask_image(target.region.where)) is not None:
        yield _Mask("target/region/where/mask", mask, parsed.image_id)
    if (mask := mask_image(getattr(params, "region", None))) is not None:
        yield _Mask("region/mask", mask, parsed.image_id)
    if isinstance(params, PhotoRegionsParams):
        for number, mask in params.masks():
            yield _Mask(f"regions/{number}/mask", mask, params.images[number])


async def _size(services: Services, parsed: ParsedRequest, image_id: str | None, kept: set[str]) -> tuple[int, int] | None:
    """Return the upright width and height of an image of the request, or None if they are not known here."""
    if image_id is None:
        content = parsed.image
    elif image_id in parsed.files:
        content = parsed.files[image_id].content
    elif image_id in kept:
        try:
            content = await services.store.images.file(image_id)
        except Expired:
            return None
    else:
        return None
    return None if content is None else await anyio.to_thread.run_sync(upright_size, content, services.settings.image_limits)
