"""The parts of a multipart form that are files: their names, how many, their bytes; nothing in them is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio.to_thread
from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from schemas.errors import BodyTooLarge, InvalidParameters, nearest_names
from schemas.methods.several_images import too_many_images
from service.echo import echo
from service.settings import ServiceSettings

_MAX_FIELDS = 200
_MAX_FILES = 8  # beside those of several images; more than are wanted are refused in words


@dataclass(frozen=True)
class ImageFile:
    """One of several images that came as a file. `id`: what `POST /v1/images` would answer. `number`: its place among the parts."""

    id: str
    name: str
    number: int
    content: bytes

    @property
    def words(self) -> str:
        return f"Image {self.number} ({echo(self.name)})" if self.name else f"Image {self.number}"

    @property
    def pointer(self) -> str:
        return f"/images/{self.number}"


@asynccontextmanager
async def form_of(request: Request, settings: ServiceSettings, *, several: bool, max_part_size: int = 1024**2) -> AsyncGenerator[FormData]:
    """The form; with `several`, as many images are welcome as one job reads.

    Raises:
        MalformedBody, LimitExceeded
    """
    more = settings.max_images if several else 0
    try:
        form = await request.form(max_files=_MAX_FILES + more, max_fields=_MAX_FIELDS + more, max_part_size=max_part_size)
    except HTTPException as error:
        if several and str(error.detail).startswith("Too many files"):
            raise too_many_images(settings.method_limits, f"more than {_MAX_FILES + more:,}", "/images") from error
        raise
    try:
        yield form
    finally:
        await form.close()


def check_files(form: FormData, names: Sequence[str]) -> None:
    """Raises `InvalidParameters` where a file part has none of these names."""
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and name not in names:
            raise InvalidParameters(
                f"There is no file part '{echo(name)}' here. File parts: {', '.join(names)}.",
                pointer=f"/{name}",
                allowed=", ".join(names),
                got=name,
                nearest=nearest_names(name, names),
            )


async def only_image(form: FormData, settings: ServiceSettings) -> bytes | None:
    """The file `image`; None where there is none, or an empty one, as a browser sends where none was chosen.

    Raises:
        InvalidParameters: there are several.
        BodyTooLarge
    """
    images = [value for value in form.getlist("image") if isinstance(value, UploadFile)]
    if len(images) > 1:
        raise InvalidParameters(f"One image is wanted, got {len(images)}.", pointer="/image", allowed="1", got=str(len(images)))
    if not images:
        return None
    _check_bytes(settings, images[0], "/image")
    return await images[0].read() or None


async def several_images(form: FormData, settings: ServiceSettings) -> list[str | ImageFile]:
    """The parts `images` in order, files and texts (ids); without empty ones.

    Raises:
        LimitExceeded: more files than `max_images`; before any is read.
        BodyTooLarge
    """
    parts = [part for part in form.getlist("images") if (part.size or part.filename if isinstance(part, UploadFile) else part)]
    files = [part for part in parts if isinstance(part, UploadFile)]
    if len(files) > settings.max_images:
        raise too_many_images(settings.method_limits, str(len(files)), "/images")
    for number, part in enumerate(parts):
        if isinstance(part, UploadFile):
            _check_bytes(settings, part, f"/images/{number}")
    return [await _read(part, number) if isinstance(part, UploadFile) else part for number, part in enumerate(parts)]


async def _read(part: UploadFile, number: int) -> ImageFile:
    content = await part.read()
    digest = await anyio.to_thread.run_sync(lambda: hashlib.sha256(content).hexdigest())
    return ImageFile(f"img_{digest}", part.filename or "", number, content)


def _check_bytes(settings: ServiceSettings, part: UploadFile, pointer: str) -> None:
    size = part.size or 0
    if size > settings.max_image_bytes:
        raise image_bytes_exceeded(settings, size, pointer)


def image_bytes_exceeded(settings: ServiceSettings, size: int, pointer: str = "/image") -> BodyTooLarge:
    return BodyTooLarge(
        f"An image file has at most {settings.max_image_bytes:,} bytes; got {size:,}.",
        pointer=pointer,
        allowed=f"at most {settings.max_image_bytes} bytes",
        got=f"{size} bytes",
    )
