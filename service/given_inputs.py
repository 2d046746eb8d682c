"""Read what a request gives to the inputs of its model: images, arrays and numbers. Nothing is compared with the model yet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import anyio.to_thread
import numpy as np
from pydantic import JsonValue

from decoding.array_file import array_file
from schemas.errors import FieldError, InvalidImage
from schemas.images import ArrayContent, ArrayReference, ImageAddress, InlineImage, UploadedImageReference
from service.echo import echo
from service.image_check import decode_base64
from service.settings import ServiceSettings
from service.validation_errors import validated

ReferredImage = InlineImage | UploadedImageReference | ArrayReference | ImageAddress
GivenValue = ReferredImage | JsonValue
_IMAGE_FORMS = 'an object with one of "base64", "id", "url" or "array"'
_VALUE_FORMS = 'numbers, a list of numbers, {"image": …} or {"array": …}'


@dataclass(frozen=True)
class GivenInput:
    """The value that a request gives to one input of the model: a file (an image or a `.npy` file), an uploaded file, the address
    of a photo, or numbers.

    `pointer` is the JSON pointer to it.
    """

    pointer: str
    content: bytes | None = None
    file_id: str | None = None
    url: str | None = None
    numbers: JsonValue = None


def image_reference(reference: JsonValue, pointer: str, errors: list[FieldError]) -> ReferredImage | None:
    """Return what a request gives as an image; None without one, and if it is wrong, which is appended to `errors`."""
    keys: list[str] = list(reference) if isinstance(reference, dict) else []
    if reference is None:
        return None
    if keys == ["base64"]:
        return validated(InlineImage, reference, pointer, errors)
    if keys == ["id"]:
        return validated(UploadedImageReference, reference, pointer, errors)
    if keys == ["array"]:
        return validated(ArrayReference, reference, pointer, errors)
    if keys == ["url"]:
        return validated(ImageAddress, reference, pointer, errors)
    got = echo(", ".join(keys) if keys else reference)
    name = pointer.rsplit("/", 1)[-1]
    errors.append(FieldError(pointer=pointer, detail=f"{name} must be {_IMAGE_FORMS}; got {got}.", allowed=_IMAGE_FORMS, got=got))
    return None


def input_values(values: JsonValue, errors: list[FieldError], pointer: str = "/inputs") -> dict[str, GivenValue]:
    """Return the values of a model's inputs by name. What is wrong is appended to `errors`."""
    if values is None:
        return {}
    if not isinstance(values, dict):
        allowed = "an object with the names of inputs"
        errors.append(
            FieldError(pointer=pointer, detail=f"inputs must be {allowed}; got {echo(values)}.", allowed=allowed, got=echo(values))
        )
        return {}
    return {name: _value(value, pointer_to(name, pointer), errors) for name, value in values.items()}


def pointer_to(name: str, pointer: str = "/inputs") -> str:
    """Return the JSON pointer (RFC 6901) to the value of an input."""
    return f"{pointer}/{echo(name).replace('~', '~0').replace('/', '~1')}"


def _value(value: JsonValue, pointer: str, errors: list[FieldError]) -> GivenValue:
    if isinstance(value, dict) and list(value) == ["image"]:
        if value["image"] is not None:
            return image_reference(value["image"], f"{pointer}/image", errors)
    elif isinstance(value, dict) and list(value) == ["array"]:
        return validated(ArrayReference, value, pointer, errors)
    elif _shape_of_numbers(value) is not None:
        return value
    detail = f"An input takes {_VALUE_FORMS}; got {echo(value)}. Rows of numbers have equal lengths."
    errors.append(FieldError(pointer=pointer, detail=detail, allowed=_VALUE_FORMS, got=echo(value)))
    return None


def _shape_of_numbers(value: JsonValue) -> tuple[int, ...] | None:
    """Return the shape of a number, or of a list of equal shapes; None if the value is neither."""
    if isinstance(value, bool | int | float):
        return ()
    if not isinstance(value, list) or not value:
        return None
    shapes = {_shape_of_numbers(each) for each in value}
    inner = shapes.pop()
    return None if shapes or inner is None or len(inner) > 1 else (len(value), *inner)


async def read_given(value: GivenValue, pointer: str, settings: ServiceSettings) -> GivenInput:
    """Return a value with the bytes that it holds in base64.

    Raises:
        BodyTooLarge: it has too many bytes.
        InvalidImage: it is not base64, or an array has more or fewer bytes than its shape says.
    """
    if isinstance(value, UploadedImageReference):
        return GivenInput(f"{pointer}/id", file_id=value.id)
    if isinstance(value, ImageAddress):
        return GivenInput(f"{pointer}/url", url=value.url)
    if isinstance(value, InlineImage):
        place = f"{pointer}/base64"
        return GivenInput(place, await anyio.to_thread.run_sync(decode_base64, value.base64, settings.max_base64_bytes, place))
    if isinstance(value, ArrayReference):
        place = f"{pointer}/array"
        return GivenInput(place, await anyio.to_thread.run_sync(_array_content, value.array, settings.max_base64_bytes, place))
    return GivenInput(pointer, numbers=value)


async def read_inputs(values: Mapping[str, GivenValue], settings: ServiceSettings) -> dict[str, GivenInput]:
    """Return the inputs that the JSON of a request gives, by name. It raises what `read_given` raises."""
    found: dict[str, GivenInput] = {}
    for name, value in values.items():
        pointer = pointer_to(name)
        is_image = isinstance(value, InlineImage | UploadedImageReference | ImageAddress)
        found[name] = await read_given(value, f"{pointer}/image" if is_image else pointer, settings)
    return found


def _array_content(array: ArrayContent, max_bytes: int, pointer: str) -> bytes:
    """Return the array as a `.npy` file."""
    dtype = np.dtype(array.dtype).newbyteorder("<")
    content = decode_base64(array.base64, max_bytes, f"{pointer}/base64")
    expected = math.prod(array.shape) * dtype.itemsize
    if len(content) != expected:
        raise InvalidImage(
            f"An array of shape {array.shape} and type {array.dtype} has {expected:,} bytes; got {len(content):,}.",
            pointer=f"{pointer}/base64",
            allowed=f"{expected} bytes",
            got=f"{len(content)} bytes",
        )
    return array_file(np.frombuffer(content, dtype).reshape(array.shape))
