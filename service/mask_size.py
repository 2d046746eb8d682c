"""Check, before a job is queued, that a mask image has the photo's size."""

from __future__ import annotations

from collections.abc import Iterator

import anyio.to_thread

from schemas.errors import Expired, InvalidParameters
from schemas.methods.base import MethodParams
from schemas.methods.target_class import TargetClassParams
from schemas.methods.targets import RegionTarget, mask_image
from service.dependencies import Caller, Services
from service.image_check import upright_size
from service.kept_uploads import kept_uploads
from service.parse_request import ParsedRequest


async def check_mask_size(services: Services, caller: Caller, params: MethodParams, parsed: ParsedRequest) -> None:
    """Check that the masks of the target and of `region`, if there are any, have the width and height of the submission's photo.

    All are turned upright as EXIF says.

    A photo that this caller has not uploaded, or that has expired, is not looked at: the submission itself is then refused. If a header
    does not say how its picture is turned, the worker checks the sizes.

    Raises:
        InvalidParameters: the sizes differ.
    """
    masks = dict(_masks(params))
    if not masks:
        return
    photo = await _photo(services, caller, parsed)
    if photo is None:
        return
    for pointer, mask_id in masks.items():
        mask = await services.store.images.file(mask_id)
        got, allowed = [await anyio.to_thread.run_sync(upright_size, each, services.settings.image_limits) for each in (mask, photo)]
        if got is not None and allowed is not None and got != allowed:
            texts = [f"{width}×{height}" for width, height in (got, allowed)]
            raise InvalidParameters(
                f"The mask has {texts[0]} pixels (width × height), and the photo {texts[1]}.",
                pointer=f"{parsed.params_pointer}/{pointer}",
                allowed=texts[1],
                got=texts[0],
            )


def _masks(params: MethodParams) -> Iterator[tuple[str, str]]:
    """Yield where the parameters name a mask image of the photo, and its id."""
    target = params.target if isinstance(params, TargetClassParams) else None
    if isinstance(target, RegionTarget) and (mask := mask_image(target.region.where)) is not None:
        yield "target/region/where/mask", mask
    if (mask := mask_image(getattr(params, "region", None))) is not None:
        yield "region/mask", mask


async def _photo(services: Services, caller: Caller, parsed: ParsedRequest) -> bytes | None:
    if parsed.image_id is None:
        return parsed.image
    (found,) = await kept_uploads(services, caller, parsed, [parsed.image_id])
    try:
        return None if found is None else await services.store.images.file(parsed.image_id)
    except Expired:
        return None
