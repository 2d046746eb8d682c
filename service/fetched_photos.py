"""Fetch the photos that a request names by their addresses, and store them as if they had been uploaded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import anyio.to_thread

from decoding.array_file import read_array
from schemas.errors import InvalidParameters
from schemas.methods.base import MethodParams
from schemas.methods.named_images import named_images, with_named_images
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
    places = resolved.image_places() if isinstance(resolved, ImagesParams) else {}
    several = {each: f"{parsed.params_pointer}{place.pointer}" for each, place in places.items() if is_address(each)}
    named = {place: image for place, image in named_images(resolved).items() if is_address(image)}
    wanted: dict[str, str] = {}  # the pointer to each address, by the address
    if parsed.image_url is not None:
        wanted[parsed.image_url] = parsed.image_pointer
    for value in parsed.inputs.values():
        if value.url is not None:
            wanted.setdefault(value.url, value.pointer)
    wanted |= {url: pointer for url, pointer in several.items() if url not in wanted}
    for place, url in named.items():
        wanted.setdefault(url, f"{parsed.params_pointer}/{place}")
    if not wanted:
        return parsed, resolved
    ids = await fetch_all(services, wanted, lambda content, header: _stored(services, caller, content, header))
    inputs = {
        name: value if value.url is None else replace(value, url=None, file_id=ids[value.url]) for name, value in parsed.inputs.items()
    }
    if several and isinstance(resolved, ImagesParams):
        resolved = resolved.with_uploads(ids)
    if named:
        resolved = with_named_images(resolved, ids)
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


async def fetch_all(services: Services, wanted: Mapping[str, str], store: Callable[[bytes, ImageHeader], Awaitable[str]]) -> dict[str, str]:
    """Fetch the photos at some addresses, a few at a time, and return what `store` returns for each, by its address.

    `wanted` has the JSON pointer to each address.

    Raises:
        UrlUnavailable: they do not arrive in time together.
        VisualizationError: a photo cannot be fetched, as `fetch_photo` says, or `store` refuses it.
    """
    turns, seconds = asyncio.Semaphore(_TOGETHER), _ALL_PHOTOS * services.settings.url_seconds

    async def fetched(url: str, pointer: str) -> str:
        async with turns:
            return await store(*await fetch_photo(services, url, pointer))

    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            tasks = {url: group.create_task(fetched(url, pointer)) for url, pointer in wanted.items()}
    except TimeoutError:
        raise UrlUnavailable(f"The images of one request must arrive within {seconds:g} s.", allowed=f"{seconds:g} s") from None
    except ExceptionGroup as group_of_errors:
        raise group_of_errors.exceptions[0] from None
    return {url: task.result() for url, task in tasks.items()}


async def _stored(services: Services, caller: Caller, content: bytes, header: ImageHeader) -> str:
    return (await services.store.images.put(caller.owner, content, header.format, header.width, header.height)).id


def is_address(reference: str) -> bool:
    """Tell whether a text that names an image is an address and not an id."""
    return reference.startswith(("https://", "http://"))
