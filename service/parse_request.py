"""Read a submission from the body of a request: JSON, multipart, or the one-line form. `submit_job.py` takes it from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from schemas.errors import FieldError, ImageRequired, ImageUnexpected, InvalidParameters
from schemas.jobs import Priority
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from schemas.methods.photo_names import LONGEST_NAME, PhotoNamesParams
from schemas.methods.several_images import ImagesParams
from schemas.webhooks import WebhookRequest
from service.echo import echo
from service.form_fields import read_form_fields
from service.given_inputs import GivenInput, input_values, pointer_to, read_given, read_inputs
from service.media_type import media_type_of, unsupported_media_type
from service.multipart import ImageFile, check_file_parts, open_form, read_images, read_input_files, read_single_image
from service.one_line_forms import FormWithInputs
from service.read_json import read_json
from service.settings import ServiceSettings
from service.threads import on_thread_if_large
from service.validate_submission import ValidSubmission, validate_submission
from service.validation_errors import invalid_parameters, unknown_field

_JOB_PARTS = ("request", "image", "images")


@dataclass(frozen=True)
class ParsedRequest:
    """A well-formed submission. Its parameters are valid by themselves; they are not yet checked against the model's description.

    Attributes:
        image: the image file's bytes, if they came with the request.
        image_id: the id of an uploaded image, if the request names one instead.
        image_url: the address of the image, if the request gives that instead.
        image_pointer: JSON pointer to the image in the request.
        params_pointer: JSON pointer to the parameters in the request; empty for a form, whose fields they are.
        files: the images of `params.images` that came with the request, by id.
        inputs: the values of the model's inputs, by the inputs' names.
        webhook: where the end of the job is to be told.
        holders: the ids of a batch and of sets that hold uploads for this request.
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
    inputs: Mapping[str, GivenInput] = field(default_factory=dict[str, GivenInput])
    image_url: str | None = None
    holders: tuple[str, ...] = ()
    webhook: WebhookRequest | None = None


async def parse_job_request(request: Request, settings: ServiceSettings) -> ParsedRequest:
    """Read the body of `POST /v1/jobs`.

    The body is JSON, or multipart with that JSON as the part `request` and a file `image` or several files `images`.

    Raises:
        MalformedBody: the body is not JSON, or not a form.
        BodyTooLarge: the body or an image has too many bytes.
        UnsupportedFormat: the body has another media type.
        InvalidParameters: fields or parts are wrong; it reports every wrong field.
        UnknownMethod: there is no such method.
        InvalidImage: the image is not valid base64.
        LimitExceeded: the body holds too many values or images.
        ImageUnexpected: the method does not take several images.
    """
    media_type = media_type_of(request)
    if media_type == "application/json":
        return await _parse_json(await request.body(), settings)
    if media_type != "multipart/form-data":
        raise unsupported_media_type(media_type, "application/json", "multipart/form-data")
    async with open_form(request, settings, several_images=True, max_part_size=settings.max_body_bytes) as form:
        check_file_parts(form, _JOB_PARTS)
        _check_text_parts(form)
        text = await _request_part(form)
        image, images = await read_single_image(form, settings), await read_images(form, settings)
        input_files = await read_input_files(form, settings)
    return await _parse_json(text, settings, image, [each for each in images if isinstance(each, ImageFile)], input_files)


async def parse_submission(text: bytes, settings: ServiceSettings) -> ParsedRequest:
    """Read a submission that is JSON, for example an item of a batch. It raises what `parse_job_request` raises."""
    return await _parse_json(text, settings)


async def parse_one_line_request(request: Request, method: str, settings: ServiceSettings) -> ParsedRequest:
    """Read the body of `POST /v1/{method}`.

    The body is a form with each parameter as a field and the file `image`. A method of several images takes files or ids `images`.

    Raises:
        MalformedBody: the form cannot be read.
        BodyTooLarge: the body or an image has too many bytes.
        UnsupportedFormat: the body is not a form.
        InvalidParameters: fields or parts are wrong; it reports every wrong field.
        LimitExceeded: the form holds too many values or images.
        ImageRequired: the method takes several images and the form holds none.
    """
    media_type = media_type_of(request)
    if media_type not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        raise unsupported_media_type(media_type, "multipart/form-data")
    several = issubclass(METHODS[method], ImagesParams)
    parts = ["images"] if several else ["image"]
    if several and METHODS[method].card.needs_image:
        parts.append("image")
    async with open_form(request, settings, several_images=several) as form:
        check_file_parts(form, parts)
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        for part in parts:
            _check_file_was_sent(part, texts)
        image, images = await read_single_image(form, settings), await read_images(form, settings) if several else []
        input_files = await read_input_files(form, settings)
    if several and not images:
        raise ImageRequired(
            "This method needs images and got none. Send each file as a part, curl -F images=@a.jpg -F images=@b.jpg, "
            "or the ids of uploaded images.",
            pointer="/images",
            allowed=f"1 to {settings.max_images} images",
            got="none",
        )
    ids = [("images", each.id if isinstance(each, ImageFile) else each) for each in images]
    fields = [*ids, *((name, text) for name, text in texts if name not in parts)]
    form_fields, params = await on_thread_if_large(sum(len(text) for _, text in fields), read_form_fields, method, fields)
    files = {each.id: each for each in images if isinstance(each, ImageFile)}
    if isinstance(params, PhotoNamesParams) and params.names is None:
        params = params.changed(names=_file_names(files.values()) or None)
    errors: list[FieldError] = []
    values = input_values(form_fields.inputs if isinstance(form_fields, FormWithInputs) else None, errors)
    if errors:
        raise invalid_parameters(errors)
    inputs = _joined(await read_inputs(values, settings), input_files)
    url = None if "image" not in parts or image is not None else next((text for name, text in texts if name == "image" and text), None)
    return ParsedRequest(method, form_fields.model, params, form_fields.priority, image, None, "/image", "", files, inputs, url)


def _file_names(files: Iterable[ImageFile]) -> dict[str, str]:
    """Return the names of files by the ids of the images. What cannot be printed is left out of a name."""
    names = {each.id: "".join(letter for letter in each.name if letter.isprintable())[:LONGEST_NAME] for each in files}
    return {image: name for image, name in names.items() if name}


def _check_text_parts(form: FormData) -> None:
    names = dict.fromkeys(name for name, value in form.multi_items() if isinstance(value, str) and name != "request")
    if names:
        raise invalid_parameters([unknown_field(name, f"/{name}", _JOB_PARTS) for name in names])


async def _request_part(form: FormData) -> bytes:
    parts = form.getlist("request")
    if len(parts) != 1:
        raise InvalidParameters(
            f"The form must have one part 'request' with the submission as JSON; got {len(parts)}.",
            pointer="/request",
            allowed="1",
            got=str(len(parts)),
        )
    return await parts[0].read() if isinstance(parts[0], UploadFile) else parts[0].encode()


def _check_file_was_sent(part: str, texts: Iterable[tuple[str, str]]) -> None:
    """Raise `InvalidParameters` if a file's name was sent in place of the file, which `curl -F image=cat.jpg` does."""
    for name, text in texts:
        references = ("img_", "set_", "https://") if part == "images" else ("https://",)
        if name != part or not text or text.lstrip(' ["').startswith(references):
            continue
        allowed = "files, or ids of uploaded images" if part == "images" else "a file"
        call = "-F images=@a.jpg -F images=@b.jpg" if part == "images" else "-F image=@photo.jpg"
        raise InvalidParameters(
            f"'{part}' takes {allowed}; got the text {echo(text)}. With curl, write @ before a file's name: curl {call}.",
            pointer=f"/{part}",
            allowed=allowed,
            got=echo(text),
        )


async def _parse_json(
    body: bytes,
    settings: ServiceSettings,
    file: bytes | None = None,
    files: Sequence[ImageFile] = (),
    input_files: Mapping[str, bytes] = MappingProxyType({}),
) -> ParsedRequest:
    submission = await on_thread_if_large(len(body), _read_submission, body, [each.id for each in files])
    if file is not None and submission.image is not None:
        raise InvalidParameters(
            "A submission has one image; got two, one as a part of the form and one in its JSON.", pointer="/image", allowed="1", got="2"
        )
    card = submission.params.card
    if files and not isinstance(submission.params, ImagesParams):
        takes = "one image, as the part 'image'" if card.needs_image else "no image"
        raise ImageUnexpected(
            f"{card.title} takes {takes}; got {len(files)} parts 'images'.", pointer="/images", allowed="none", got=str(len(files))
        )
    given = GivenInput("/image", file)
    if file is None and submission.image is not None:
        given = await read_given(submission.image, "/image", settings)
    return ParsedRequest(
        submission.method,
        submission.model,
        submission.params,
        submission.priority,
        given.content,
        given.file_id,
        given.pointer,
        "/params",
        {each.id: each for each in files},
        _joined(await read_inputs(submission.inputs, settings), input_files),
        given.url,
        webhook=submission.webhook,
    )


def _joined(inputs: Mapping[str, GivenInput], files: Mapping[str, bytes]) -> dict[str, GivenInput]:
    """Return the inputs that a form gives as JSON and those that it gives as files."""
    if twice := [name for name in files if name in inputs]:
        raise InvalidParameters(
            f"Input '{echo(twice[0])}' takes one value; got two, one as a file and one as JSON.", pointer=pointer_to(twice[0]), allowed="1"
        )
    return {**inputs, **{name: GivenInput(pointer_to(name), content) for name, content in files.items()}}


def _read_submission(body: bytes, uploaded: Sequence[str]) -> ValidSubmission:
    return validate_submission(read_json(body), uploaded)
