"""A submission as it comes: JSON or multipart, brought to one form, nothing yet looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeVar, cast

import anyio.to_thread
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import from_json
from starlette.datastructures import UploadFile

from schemas.errors import ImageRequired, ImageUnexpected, InvalidParameters, MalformedBody, UnsupportedFormat, nearest_names
from schemas.images import InlineImage, UploadedImageReference
from schemas.jobs import Priority
from schemas.methods import METHODS, params_class
from schemas.methods.base import MethodParams
from schemas.methods.several_images import ImagesParams
from schemas.models import NO_MODEL
from service.echo import echo
from service.image_check import decode_base64
from service.multipart import ImageFile, check_files, form_of, image_bytes_exceeded, only_image, several_images
from service.one_line_forms import read_form
from service.settings import ServiceSettings
from service.validation_errors import check_extent, invalid_parameters

_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True)
class ParsedRequest:
    """A well-formed submission: `params` valid by themselves, not yet by the model. `params_pointer` is where they stand in the body.

    `files`: of `params.images` those that came with it, by id.
    """

    method: str
    model: str
    params: MethodParams
    priority: Priority
    image: bytes | None
    image_id: str | None
    image_pointer: str
    params_pointer: str
    files: Mapping[str, ImageFile] = field(default_factory=dict[str, ImageFile])


class _Envelope(BaseModel, frozen=True):
    """A submission whose parts are validated on their own, each with its own words."""

    model_config = ConfigDict(extra="forbid")

    method: Annotated[str, Field(max_length=256)]
    model: Annotated[str, Field(max_length=256)]
    image: JsonValue = None
    params: JsonValue = Field(default_factory=dict[str, JsonValue])
    priority: Priority = "normal"


class _ModellessEnvelope(_Envelope, frozen=True):
    """Of a method that needs no model."""

    model: Literal["none"] = NO_MODEL


async def parse_job_request(request: Request, settings: ServiceSettings) -> ParsedRequest:
    """`POST /v1/jobs`: JSON, or multipart with the parts `request` (that JSON) and `image` (a file), or several files `images`.

    Raises:
        MalformedBody, BodyTooLarge, UnsupportedFormat, InvalidParameters, UnknownMethod, InvalidImage, LimitExceeded, ImageUnexpected
    """
    media_type = media_type_of(request)
    if media_type == "application/json":
        return await _from_json(await request.body(), settings)
    if media_type != "multipart/form-data":
        raise _unsupported(media_type, "application/json, multipart/form-data")
    async with form_of(request, settings, several=True, max_part_size=settings.max_body_bytes) as form:
        check_files(form, ("request", "image", "images"))
        parts = form.getlist("request")
        if unknown := sorted({name for name, value in form.multi_items() if name != "request" and isinstance(value, str)}):
            raise InvalidParameters(
                f"There is no text part '{echo(unknown[0])}' here. Parts: request (JSON), image (a file), images (files).",
                pointer=f"/{unknown[0]}",
                allowed="request, image, images",
                got=unknown[0],
                nearest=nearest_names(unknown[0], ["request", "image", "images"]),
            )
        if len(parts) != 1:
            raise InvalidParameters(
                f"One part 'request' with the submission as JSON is wanted, got {len(parts)}.",
                pointer="/request",
                allowed="1",
                got=str(len(parts)),
            )
        image, images = await only_image(form, settings), await several_images(form, settings)
        text = await parts[0].read() if isinstance(parts[0], UploadFile) else parts[0].encode()
    return await _from_json(text, settings, image, [part for part in images if isinstance(part, ImageFile)])


async def parse_one_line_request(request: Request, method: str, settings: ServiceSettings) -> ParsedRequest:
    """`POST /v1/{method}`: a form with each parameter as a field of its own and the file `image`, or the files `images`, among which ids
    may stand for files.

    Raises:
        MalformedBody, BodyTooLarge, UnsupportedFormat, InvalidParameters, LimitExceeded, ImageRequired
    """
    media_type = media_type_of(request)
    if media_type not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        raise _unsupported(media_type, "multipart/form-data")
    several = issubclass(METHODS[method], ImagesParams)
    part = "images" if several else "image"
    async with form_of(request, settings, several=several) as form:
        check_files(form, (part,))
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        _check_no_path(part, texts)
        image, images = await only_image(form, settings), await several_images(form, settings) if several else []
    if several and not images:
        raise ImageRequired(
            "No images were given: they are parts of the form, curl -F images=@a.jpg -F images=@b.jpg, or ids of uploads.",
            pointer="/images",
            allowed=f"1 to {settings.max_images} images",
            got="none",
        )
    ids = [("images", each.id if isinstance(each, ImageFile) else each) for each in images]
    fields, params = read_form(method, [*ids, *((name, text) for name, text in texts if name != part)])
    files = {each.id: each for each in images if isinstance(each, ImageFile)}
    return ParsedRequest(method, fields.model, params, fields.priority, image, None, "/image", "", files)


def _check_no_path(part: str, texts: Iterable[tuple[str, str]]) -> None:
    """Raises `InvalidParameters` where a file's name was sent in the place of the file."""
    for name, text in texts:
        if name != part or not text or (part == "images" and text.lstrip(' ["').startswith("img_")):
            continue
        allowed = "files, or ids of uploads" if part == "images" else "a file"
        call = "-F images=@a.jpg -F images=@b.jpg" if part == "images" else "-F image=@photo.jpg"
        raise InvalidParameters(
            f"'{part}' takes {allowed}; a file is given with @: curl {call}. Got {echo(text)}.",
            pointer=f"/{part}",
            allowed=allowed,
            got=echo(text),
        )


def media_type_of(request: Request) -> str:
    return request.headers.get("content-type", "").split(";", 1)[0].strip().lower()


async def _from_json(body: bytes, settings: ServiceSettings, file: bytes | None = None, files: Sequence[ImageFile] = ()) -> ParsedRequest:
    try:
        data = cast("JsonValue", from_json(body, allow_inf_nan=False))
    except ValueError as error:
        raise MalformedBody(f"The submission is not valid JSON: {error}.") from None
    check_extent(data, "")
    envelope = _validated(_ModellessEnvelope if _needs_no_model(data) else _Envelope, data, "")
    params = params_class(envelope.method)
    image, image_id, pointer = await _image(envelope.image, settings)
    if file is not None:
        if envelope.image is not None:
            raise InvalidParameters("One image is wanted, got two: a part and one in the request.", pointer="/image", allowed="1", got="2")
        image, pointer = file, "/image"
    if files and not issubclass(params, ImagesParams):
        takes = "one image, the part 'image'" if params.card.needs_image else "no image"
        raise ImageUnexpected(
            f"{params.card.title} takes {takes}: leave 'images' out.", pointer="/images", allowed="none", got=str(len(files))
        )
    return ParsedRequest(
        envelope.method,
        envelope.model,
        _validated(params, _with_files(envelope.params, files), "/params"),
        envelope.priority,
        image,
        image_id,
        pointer,
        "/params",
        {file.id: file for file in files},
    )


def _with_files(params: JsonValue, files: Sequence[ImageFile]) -> JsonValue:
    """The files' ids after those that `params` names itself."""
    if not files or not isinstance(params, dict):
        return params
    named = params.get("images", [])
    return {**params, "images": [*named, *(file.id for file in files)]} if isinstance(named, list) else params


def _needs_no_model(submission: JsonValue) -> bool:
    method = submission.get("method") if isinstance(submission, dict) else None
    return isinstance(method, str) and method in METHODS and not METHODS[method].card.needs_model


async def _image(reference: JsonValue, settings: ServiceSettings) -> tuple[bytes | None, str | None, str]:
    """(content, id of an upload, pointer)."""
    if reference is None:
        return None, None, "/image"
    keys: list[str] = list(reference) if isinstance(reference, dict) else []
    if keys == ["base64"]:
        pointer = "/image/base64"
        text = _validated(InlineImage, reference, "/image").base64
        return await anyio.to_thread.run_sync(decode_base64, text, settings.max_base64_bytes, pointer), None, pointer
    if keys == ["id"]:
        return None, _validated(UploadedImageReference, reference, "/image").id, "/image/id"
    off = " Images by URL are turned off." if "url" in keys else ""
    raise InvalidParameters(
        f'image must be either {{"base64": …}} or {{"id": "img_…"}}.{off}',
        pointer="/image",
        allowed="an object with base64 or with id",
        got=echo(", ".join(keys) if keys else reference),
    )


def _validated(model: type[_M], data: object, prefix: str) -> _M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise invalid_parameters(error, data, model, prefix) from None


def _unsupported(media_type: str, allowed: str) -> UnsupportedFormat:
    return UnsupportedFormat(
        f"Content-Type must be {allowed.replace(', ', ' or ')}; got {echo(media_type) or 'none'}.", allowed=allowed, got=media_type or None
    )


async def parse_upload(request: Request, settings: ServiceSettings) -> bytes | None:
    """`POST /v1/images`: multipart with the file part `image`, or the file itself as an `image/…` body, counted as it comes."""
    media_type = media_type_of(request)
    if media_type == "multipart/form-data":
        async with form_of(request, settings, several=False) as form:
            check_files(form, ("image",))
            return await only_image(form, settings)
    if not media_type.startswith("image/"):
        raise _unsupported(media_type, "multipart/form-data, image/*")
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > settings.max_image_bytes:
            raise image_bytes_exceeded(settings, len(content))
    return bytes(content)
