"""Check what a submission gives to the inputs of its model against the model's description, and keep it for the job."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import anyio.to_thread
import numpy as np

from decoding.array_file import array_file, is_array_file, read_array
from decoding.input_arrays import fitted
from jobstore.records import ImageRecord
from rendering.bands import default_bands
from schemas.errors import ImageRequired, ImageUnexpected, InvalidParameters, NotFound, UnsupportedFormat
from schemas.methods.base import MethodParams
from schemas.methods.image_input import ExplainedInputParams, ShownBandsParams
from schemas.methods.several_images import ImagesParams
from schemas.models import ModelDescription, ModelInput, PublishedModel
from service.dependencies import Caller, Services
from service.given_inputs import GivenInput, pointer_to
from service.image_check import ARRAY_FORMAT, check_image
from service.kept_uploads import kept_uploads
from service.parse_request import ParsedRequest


@dataclass(frozen=True)
class JobInputs:
    """The files that a job gives to its model, checked.

    Attributes:
        image: the file of the photo (or of the array in its place), if it came with the request.
        image_id: the id of an uploaded photo, if the request names one instead.
        inputs: the ids of the files of the model's further inputs, by the inputs' names.
        files: the files of further inputs that came with the request, by id.
        array_channels: the number of channels of the explained image if it is an array, and None if it is a photo.
    """

    image: bytes | None
    image_id: str | None
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    array_channels: int | None = None


@dataclass(frozen=True)
class _CheckedFile:
    """A file, or the id of an uploaded one. `is_array` says which of the two kinds it is."""

    content: bytes | None
    file_id: str | None
    is_array: bool


@dataclass(frozen=True)
class UncheckedFile:
    """A photo or an array that is not compared with the model yet: its content or the id of the upload, and its place in the request."""

    content: bytes | None
    file_id: str | None
    pointer: str
    is_array: bool


async def check_inputs(services: Services, caller: Caller, parsed: ParsedRequest, published: PublishedModel | None) -> JobInputs:
    """Return the files that the job gives to its model. Uploaded files among them are kept as long as the job.

    Raises:
        InvalidParameters: the model has no such input, an input takes other values, or two values are given for one input.
        ImageRequired: the explained input is given no image.
        ImageUnexpected: the method takes no values for inputs.
        UnsupportedFormat: the image that is needed is a photo and not an array, or an array and not a photo.
        NotFound: the caller has no such upload.
        VisualizationError: a file is refused, as `check_image` and `read_array` say.
    """
    card = parsed.params.card
    if published is None or not _shows_images(parsed.params):
        if parsed.inputs:
            raise ImageUnexpected(f"{card.title} takes no values for a model's inputs.", pointer="/inputs", allowed="none", got="some")
        await _refuse_array(services, caller, parsed)
        return JobInputs(parsed.image, parsed.image_id)
    description = published.description
    given = _given(parsed, description)
    records = await _uploads(services, caller, parsed, given)
    checked = {
        name: await _checked(services, description.input_at(name, pointer_to(name)), value, records) for name, value in given.items()
    }
    explained = explained_input(parsed.params, description)
    if card.needs_image and explained not in checked:
        raise ImageRequired(
            f"Input '{explained}' is explained and got no image. Give one in inputs.",
            pointer=pointer_to(explained),
            allowed="one image",
            got="none",
        )
    photo = checked.pop(description.input.name, None)
    own = photo if explained == description.input.name else checked[explained]
    channels = description.input_at(explained, "/params/input").image_spec.channels if own is not None and own.is_array else None
    ids: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for name, file in checked.items():
        if file.content is None:
            ids[name] = file.file_id or ""
        else:
            ids[name] = f"img_{await anyio.to_thread.run_sync(_sha256, file.content)}"
            files[ids[name]] = file.content
    return JobInputs(photo and photo.content, photo and photo.file_id, ids, files, channels)


def explained_input(params: MethodParams, description: ModelDescription) -> str:
    """Return the name of the input that parameters explain: the one that they name, or the one that takes the photo."""
    return (params.input if isinstance(params, ExplainedInputParams) else None) or description.input.name


def with_shown_bands(params: MethodParams, inputs: JobInputs, description: ModelDescription) -> MethodParams:
    """Return resolved parameters with the input and the bands filled in where the model has several inputs, or the image is an array.

    Raises:
        InvalidParameters: the image is a photo, or the array has no such channel.
    """
    if not isinstance(params, ShownBandsParams):
        return params
    name = explained_input(params, description)
    if isinstance(params, ExplainedInputParams) and len(description.inputs) > 1:
        params = params.changed(input=name)
    if inputs.array_channels is None:
        if params.bands is None:
            return params
        raise InvalidParameters(
            "bands chooses channels of an array, but the image is a photo, which is shown as it is.",
            pointer="/params/bands",
            allowed="null",
            got=str(list(params.bands)),
        )
    own = description.input_at(name, "/params/input").bands
    bands = params.bands or own or default_bands(inputs.array_channels)
    if max(bands) >= inputs.array_channels:
        allowed = f"0 to {inputs.array_channels - 1}"
        raise InvalidParameters(
            f"The array has {inputs.array_channels} channels: bands must be {allowed}, got {max(bands)}.",
            pointer="/params/bands",
            allowed=allowed,
            got=str(list(bands)),
        )
    return params.changed(bands=bands)


def _given(parsed: ParsedRequest, description: ModelDescription) -> dict[str, GivenInput]:
    """Return what the request gives to each input by name. `image` stands for the input that takes the photo."""
    own = GivenInput(parsed.image_pointer, parsed.image, parsed.image_id)
    if own.content is None and own.file_id is None:
        return dict(parsed.inputs)
    name = description.input.name
    if name in parsed.inputs:
        raise InvalidParameters(
            f"Input '{name}' takes one image; got two, one in image and one in inputs.", pointer=pointer_to(name), allowed="1", got="2"
        )
    return {name: own, **parsed.inputs}


async def _uploads(services: Services, caller: Caller, parsed: ParsedRequest, given: Mapping[str, GivenInput]) -> dict[str, ImageRecord]:
    """Keep the uploaded files that a job reads, and return their records by id."""
    wanted = [value for value in given.values() if value.file_id is not None]
    ids = [value.file_id for value in wanted if value.file_id is not None]
    found: dict[str, ImageRecord] = {}
    for value, record in zip(wanted, await kept_uploads(services, caller, parsed, ids) if ids else [], strict=True):
        if record is None:
            raise NotFound(
                f"There is no image {value.file_id}. Please upload it with POST /v1/images.", pointer=value.pointer, got=value.file_id
            )
        found[record.id] = record
    return found


async def _checked(services: Services, takes: ModelInput, value: GivenInput, records: Mapping[str, ImageRecord]) -> _CheckedFile:
    """Check one value against the input that takes it."""
    if value.file_id is not None:
        is_array, content = records[value.file_id].format == ARRAY_FORMAT, None
    elif value.content is not None:
        content, is_array = value.content, is_array_file(value.content)
        await anyio.to_thread.run_sync(check_image, content, services.settings.image_limits, value.pointer)
    else:
        content, is_array = await anyio.to_thread.run_sync(_numbers_file, value, takes), True
        value = replace(value, content=content)
    await check_fits(services, takes, UncheckedFile(content, value.file_id, value.pointer, is_array))
    return _CheckedFile(value.content, value.file_id, is_array)


async def check_fits(services: Services, takes: ModelInput, file: UncheckedFile) -> None:
    """Check that a photo can become an input, or that an array has its shape, its number type and finite numbers.

    Raises:
        UnsupportedFormat: the input takes no photo.
        InvalidParameters, InvalidImage: the input takes no such array.
    """
    if not file.is_array:
        _check_takes_photo(takes, file.pointer)
        return
    content = file.content if file.content is not None else await services.store.images.file(file.file_id or "")
    await anyio.to_thread.run_sync(lambda: fitted(read_array(content, file.pointer), takes, file.pointer))


def _check_takes_photo(takes: ModelInput, pointer: str) -> None:
    if takes.takes_photos:
        return
    why = "has other channels than the preprocessing of a photo" if takes.takes_images else "is no image"
    raise UnsupportedFormat(
        f"Input '{takes.name}' takes an array of shape {takes.shape_text}, which {why}; got an image file. Send an array or a .npy file.",
        pointer=pointer,
        allowed=f"an array of shape {takes.shape_text}",
        got="an image file",
    )


def _numbers_file(value: GivenInput, takes: ModelInput) -> bytes:
    try:
        array = np.array(value.numbers)
    except (ValueError, OverflowError):
        array = np.array(None)
    if array.dtype.kind not in "biuf":
        raise InvalidParameters(
            f"Input '{takes.name}' takes numbers that {takes.dtype} can hold.", pointer=value.pointer, allowed=takes.dtype
        )
    return array_file(fitted(array, takes, value.pointer))


def _shows_images(params: MethodParams) -> bool:
    """Return whether a method only shows images to the model. One that changes a photo fills the other inputs with zeros meanwhile."""
    return isinstance(params, ShownBandsParams | ImagesParams)


async def _refuse_array(services: Services, caller: Caller, parsed: ParsedRequest) -> None:
    is_array = parsed.image is not None and is_array_file(parsed.image)
    if parsed.image_id is not None:
        (record,) = await kept_uploads(services, caller, parsed, [parsed.image_id])
        is_array = record is not None and record.format == ARRAY_FORMAT
    if is_array:
        raise UnsupportedFormat(
            f"{parsed.params.card.title} starts from a photo; got an array.",
            pointer=parsed.image_pointer,
            allowed="a photo",
            got="an array",
        )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
