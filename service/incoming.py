"""A submission as it comes: JSON or multipart, brought to one form, nothing yet looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar, cast

import anyio.to_thread
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import from_json
from starlette.datastructures import FormData, UploadFile

from schemas.errors import BodyTooLarge, InvalidParameters, MalformedBody, UnsupportedFormat, nearest_names
from schemas.images import InlineImage, UploadedImageReference
from schemas.jobs import Priority
from schemas.methods import METHODS, params_class
from schemas.methods.base import MethodParams
from schemas.models import NO_MODEL
from service.forms import read_form
from service.images import from_base64
from service.settings import Settings
from service.validation import check_extent, invalid_parameters, shown

_M = TypeVar("_M", bound=BaseModel)

_MAX_FIELDS = 200
_MAX_FILES = 8  # more than one is refused in words


@dataclass(frozen=True)
class Incoming:
    """A well-formed submission: `params` valid by themselves, not yet by the model. `params_pointer` is where they stand in the body."""

    method: str
    model: str
    params: MethodParams
    priority: Priority
    image: bytes | None
    image_id: str | None
    image_pointer: str
    params_pointer: str


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


async def read_job(request: Request, settings: Settings) -> Incoming:
    """`POST /v1/jobs`: JSON, or multipart with the parts `request` (that JSON) and `image` (a file).

    Raises:
        MalformedBody, BodyTooLarge, UnsupportedFormat, InvalidParameters, UnknownMethod, InvalidImage
    """
    media_type = media_type_of(request)
    if media_type == "application/json":
        return await _from_json(await request.body(), settings, None)
    if media_type != "multipart/form-data":
        raise _unsupported(media_type, "application/json, multipart/form-data")
    async with request.form(max_files=_MAX_FILES, max_fields=_MAX_FIELDS, max_part_size=settings.max_body_bytes) as form:
        image = await _only_file(form, settings)
        parts = form.getlist("request")
        if unknown := sorted({name for name, _ in form.multi_items()} - {"request", "image"}):
            raise InvalidParameters(
                f"There is no part '{shown(unknown[0])}' here. Parts: request (JSON), image (a file).",
                pointer=f"/{unknown[0]}",
                allowed="request, image",
                got=unknown[0],
                nearest=nearest_names(unknown[0], ["request", "image"]),
            )
        if len(parts) != 1:
            raise InvalidParameters(
                f"One part 'request' with the submission as JSON is wanted, got {len(parts)}.",
                pointer="/request",
                allowed="1",
                got=str(len(parts)),
            )
        text = await parts[0].read() if isinstance(parts[0], UploadFile) else parts[0].encode()
    return await _from_json(text, settings, image)


async def read_one_line(request: Request, method: str, settings: Settings) -> Incoming:
    """`POST /v1/{method}`: a form with each parameter as a field of its own and the file `image`.

    Raises:
        MalformedBody, BodyTooLarge, UnsupportedFormat, InvalidParameters
    """
    media_type = media_type_of(request)
    if media_type not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        raise _unsupported(media_type, "multipart/form-data")
    async with request.form(max_files=_MAX_FILES, max_fields=_MAX_FIELDS) as form:
        image = await _only_file(form, settings)
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if any(name == "image" and text for name, text in texts):
        raise InvalidParameters("'image' is a file part with a file name: curl -F image=@photo.jpg.", pointer="/image", allowed="a file")
    fields, params = read_form(method, ((name, text) for name, text in texts if name != "image"))
    return Incoming(method, fields.model, params, fields.priority, image, None, "/image", "")


def media_type_of(request: Request) -> str:
    return request.headers.get("content-type", "").split(";", 1)[0].strip().lower()


async def _from_json(body: bytes, settings: Settings, file: bytes | None) -> Incoming:
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
    return Incoming(
        envelope.method,
        envelope.model,
        _validated(params, envelope.params, "/params"),
        envelope.priority,
        image,
        image_id,
        pointer,
        "/params",
    )


def _needs_no_model(submission: JsonValue) -> bool:
    method = submission.get("method") if isinstance(submission, dict) else None
    return isinstance(method, str) and method in METHODS and not METHODS[method].card.needs_model


async def _image(reference: JsonValue, settings: Settings) -> tuple[bytes | None, str | None, str]:
    """(content, id of an upload, pointer)."""
    if reference is None:
        return None, None, "/image"
    keys: list[str] = list(reference) if isinstance(reference, dict) else []
    if keys == ["base64"]:
        pointer = "/image/base64"
        text = _validated(InlineImage, reference, "/image").base64
        return await anyio.to_thread.run_sync(from_base64, text, settings.max_base64_bytes, pointer), None, pointer
    if keys == ["id"]:
        return None, _validated(UploadedImageReference, reference, "/image").id, "/image/id"
    off = " Images by URL are turned off." if "url" in keys else ""
    raise InvalidParameters(
        f'image must be either {{"base64": …}} or {{"id": "img_…"}}.{off}',
        pointer="/image",
        allowed="an object with base64 or with id",
        got=shown(", ".join(keys) if keys else reference),
    )


def _validated(model: type[_M], data: object, prefix: str) -> _M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise invalid_parameters(error, data, model, prefix) from None


async def _only_file(form: FormData, settings: Settings) -> bytes | None:
    files = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
    images = [value for name, value in files if name == "image"]
    others = [name for name, _ in files if name not in ("image", "request")]
    if others:
        raise InvalidParameters(
            f"There is no file part '{shown(others[0])}' here; the image's is called 'image'.",
            pointer=f"/{others[0]}",
            allowed="image",
            got=others[0],
        )
    if len(images) > 1:
        raise InvalidParameters(f"One image is wanted, got {len(images)}.", pointer="/image", allowed="1", got=str(len(images)))
    if not images:
        return None
    size = images[0].size or 0
    if size > settings.max_image_bytes:
        raise image_bytes_exceeded(settings, size)
    return await images[0].read() or None  # a browser sends an empty file where none was chosen


def image_bytes_exceeded(settings: Settings, size: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"An image file has at most {settings.max_image_bytes:,} bytes; got {size:,}.",
        pointer="/image",
        allowed=f"at most {settings.max_image_bytes} bytes",
        got=f"{size} bytes",
    )


def _unsupported(media_type: str, allowed: str) -> UnsupportedFormat:
    return UnsupportedFormat(
        f"Content-Type must be {allowed.replace(', ', ' or ')}; got {shown(media_type) or 'none'}.", allowed=allowed, got=media_type or None
    )


async def read_upload(request: Request, settings: Settings) -> bytes | None:
    """`POST /v1/images`: multipart with the file part `image`, or the file itself as an `image/…` body, counted as it comes."""
    media_type = media_type_of(request)
    if media_type == "multipart/form-data":
        async with request.form(max_files=_MAX_FILES, max_fields=_MAX_FIELDS) as form:
            return await _only_file(form, settings)
    if not media_type.startswith("image/"):
        raise _unsupported(media_type, "multipart/form-data, image/*")
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > settings.max_image_bytes:
            raise image_bytes_exceeded(settings, len(content))
    return bytes(content)
