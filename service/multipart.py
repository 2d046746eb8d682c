"""Read the file parts of a multipart form: their names, their number and their bytes. The files themselves are not looked at."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from jobstore.files import content_digest
from schemas.errors import BodyTooLarge, InvalidParameters
from schemas.methods.several_images import too_many_images
from service.echo import echo
from service.settings import ServiceSettings
from service.validation_errors import invalid_parameters, unknown_field

INPUT_PART = "inputs."  # a file for the model's input NAME is the part `inputs.NAME`
_MAX_FIELDS = 200
_MAX_FILES = 8  # more than any form takes, so that a superfluous file gets an error that names it


@dataclass(frozen=True)
class ImageFile:
    """One of several images that came as a file.

    Attributes:
        id: the id that `POST /v1/images` gives this file.
        name: the file's name as the caller sent it.
        number: its place among the parts `images`, from 0.
        content: the file's bytes.
    """

    id: str
    name: str
    number: int
    content: bytes

    @property
    def label(self) -> str:
        """The words that name this file in an error text."""
        return f"Image {self.number} ({echo(self.name)})" if self.name else f"Image {self.number}"

    @property
    def pointer(self) -> str:
        return f"/images/{self.number}"


@asynccontextmanager
async def open_form(
    request: Request, settings: ServiceSettings, *, several_images: bool, max_part_size: int = 1024**2
) -> AsyncGenerator[FormData]:
    """Parse the form and close it afterwards. With `several_images` it may hold as many images as one job reads.

    Raises:
        MalformedBody: the form cannot be parsed.
        LimitExceeded: it holds more images than one job reads.
    """
    more = settings.max_images if several_images else 0
    try:
        form = await request.form(max_files=_MAX_FILES + more, max_fields=_MAX_FIELDS + more, max_part_size=max_part_size)
    except HTTPException as error:
        if several_images and str(error.detail).startswith("Too many files"):
            raise too_many_images(settings.method_limits, f"more than {_MAX_FILES + more:,}", "/images") from error
        raise
    try:
        yield form
    finally:
        await form.close()


def check_file_parts(form: FormData, names: Sequence[str]) -> None:
    """Raise `InvalidParameters` if a file part has none of these names, and is not the file of a model's input either."""
    files = [name for name, value in form.multi_items() if isinstance(value, UploadFile) and not name.startswith(INPUT_PART)]
    unknown = dict.fromkeys(name for name in files if name not in names)
    if unknown:
        raise invalid_parameters([unknown_field(name, f"/{name}", names) for name in unknown])


async def read_single_image(form: FormData, settings: ServiceSettings) -> bytes | None:
    """Return the bytes of the file `image`; None if there is none or it is empty, as browsers send it when no file was chosen.

    Raises:
        InvalidParameters: there are several files `image`.
        BodyTooLarge: the file has more than `max_image_bytes`.
    """
    images = [value for value in form.getlist("image") if isinstance(value, UploadFile)]
    if len(images) > 1:
        raise InvalidParameters(f"The form takes one file 'image'; got {len(images)}.", pointer="/image", allowed="1", got=str(len(images)))
    if not images:
        return None
    _check_size(settings, images[0], "/image")
    return await images[0].read() or None


async def read_images(form: FormData, settings: ServiceSettings) -> list[str | ImageFile]:
    """Return the parts `images` in order, without empty ones: a file as `ImageFile`, the id of an uploaded image as text.

    Raises:
        LimitExceeded: there are more files than `max_images`. It is raised before any is read.
        BodyTooLarge: a file has more than `max_image_bytes`.
    """
    images = [each for each in form.getlist("images") if (each.size or each.filename if isinstance(each, UploadFile) else each)]
    files = [each for each in images if isinstance(each, UploadFile)]
    if len(files) > settings.max_images:
        raise too_many_images(settings.method_limits, str(len(files)), "/images")
    for number, each in enumerate(images):
        if isinstance(each, UploadFile):
            _check_size(settings, each, f"/images/{number}")
    return [await _read(each, number) if isinstance(each, UploadFile) else each for number, each in enumerate(images)]


async def read_input_files(form: FormData, settings: ServiceSettings) -> dict[str, bytes]:
    """Return the files of the parts `inputs.NAME` by the name of the input, without empty ones.

    Raises:
        InvalidParameters: there are several files for one input.
        BodyTooLarge: a file has more than `max_image_bytes`.
    """
    found: dict[str, bytes] = {}
    for part, file in form.multi_items():
        if not isinstance(file, UploadFile) or not part.startswith(INPUT_PART):
            continue
        _check_size(settings, file, f"/{part}")
        if part.removeprefix(INPUT_PART) in found:
            raise InvalidParameters(f"The form takes one file '{echo(part)}'; got several.", pointer=f"/{part}", allowed="1")
        if content := await file.read():
            found[part.removeprefix(INPUT_PART)] = content
    return found


def image_bytes_exceeded(settings: ServiceSettings, size: int, pointer: str = "/image") -> BodyTooLarge:
    """Return the error for an image file of `size` bytes."""
    return BodyTooLarge(
        f"An image file has at most {settings.max_image_bytes:,} bytes; got {size:,}.",
        pointer=pointer,
        allowed=f"at most {settings.max_image_bytes} bytes",
        got=f"{size} bytes",
    )


async def _read(file: UploadFile, number: int) -> ImageFile:
    content = await file.read()
    digest = await content_digest(content)
    return ImageFile(f"img_{digest}", file.filename or "", number, content)


def _check_size(settings: ServiceSettings, file: UploadFile, pointer: str) -> None:
    size = file.size or 0
    if size > settings.max_image_bytes:
        raise image_bytes_exceeded(settings, size, pointer)
