"""Fetch the photos that a request names by their addresses, and store them as if they had been uploaded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import anyio.to_thread

from decoding.array_file import read_array
from schemas.errors import InvalidParameters
from schemas.methods.base import MethodParams
from schemas.methods.several_images import ImagesParams
from schemas.url_errors import UrlUnavailable
from service.dependencies import Caller, Services
from service.image_check import ARRAY_FORMAT, ImageHeader, check_image
from service.parse_request import ParsedRequest

_TOGETHER = 4  # photos of one request at the same time
_ALL_PHOTOS = 3  # times as long as one photo


async def with_fetched_photos(
    services: Services, caller: Caller, parsed: ParsedRequest, resolved: MethodParams
) -> tuple[ParsedRequest, MethodParams]:
    """Return a request and its complete parameters with each address replaced by the id of the photo that was fetched there.

    Raises:
        InvalidParameters: the operator has not turned addresses on.
        UrlRefused: an address may not be opened.
        UrlUnavailable: a server does not send its photo in time.
        VisualizationError: a photo is refused, as `check_image` says, or the store has no room for it.
    """
    several = [each for each in resolved.images if _is_address(each)] if isinstance(resolved, ImagesParams) else []
    wanted: dict[str, str] = {}  # the pointer to each address, by the address
    if parsed.image_url is not None:
        wanted[parsed.image_url] = parsed.image_pointer
    for value in parsed.inputs.values():
        if value.url is not None:
            wanted.setdefault(value.url, value.pointer)
    if isinstance(resolved, ImagesParams):
        places = {each: number for number, each in enumerate(resolved.images)}
        wanted |= {url: f"{parsed.params_pointer}/images/{places[url]}" for url in several if url not in wanted}
    if not wanted:
        return parsed, resolved
    ids = await _fetch_all(services, caller, wanted)
    inputs = {
        name: value if value.url is None else replace(value, url=None, file_id=ids[value.url]) for name, value in parsed.inputs.items()
    }
    if several and isinstance(resolved, ImagesParams):
        resolved = resolved.changed(images=tuple(dict.fromkeys(ids.get(each, each) for each in resolved.images)))
    image_id = parsed.image_id if parsed.image_url is None else ids[parsed.image_url]
    return replace(parsed, image_id=image_id, image_url=None, inputs=inputs), resolved


async def fetch_photo(services: Services, url: str, pointer: str) -> tuple[bytes, ImageHeader]:
    """Return the photo at an address and its header. An array as an `.npy` file may take the place of the photo.

    Raises:
        InvalidParameters: the operator has not turned addresses on.
        UrlRefused, UrlUnavailable, BodyTooLarge: it cannot be fetched.
        VisualizationError: it is refused, as `check_image` says.
    """
    settings = services.settings
    if not settings.url_inputs:
        raise InvalidParameters(
            "This service does not fetch images by URL. Send the image itself, or upload it with POST /v1/images.",
            pointer=pointer.removesuffix("/url"),
            allowed='an object with one of "base64", "id" or "array"',
            got="url",
        )
    content = await services.outbound.get(
        url, seconds=settings.url_seconds, max_bytes=settings.max_image_bytes, accept="image/*", pointer=pointer
    )
    header = await anyio.to_thread.run_sync(check_image, content, settings.image_limits, pointer)
    if header.format == ARRAY_FORMAT:
        await anyio.to_thread.run_sync(read_array, content, pointer)
    return content, header


async def _fetch_all(services: Services, caller: Caller, wanted: Mapping[str, str]) -> dict[str, str]:
    """Fetch and store the photos at some addresses. Return their ids by address. `wanted` has the JSON pointer to each address."""
    turns, seconds = asyncio.Semaphore(_TOGETHER), _ALL_PHOTOS * services.settings.url_seconds

    async def stored(url: str, pointer: str) -> str:
        async with turns:
            content, header = await fetch_photo(services, url, pointer)
            image = await services.store.images.put(caller.owner, content, header.format, header.width, header.height)
            return image.id

    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            tasks = {url: group.create_task(stored(url, pointer)) for url, pointer in wanted.items()}
    except TimeoutError:
        raise UrlUnavailable(f"The images of one request must arrive within {seconds:g} s.", allowed=f"{seconds:g} s") from None
    except ExceptionGroup as group_of_errors:
        raise group_of_errors.exceptions[0] from None
    return {url: task.result() for url, task in tasks.items()}


def _is_address(reference: str) -> bool:
    return reference.startswith("https://")
