"""Define how a request names its image, which images are allowed, and what the service answers to an upload."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from typing_extensions import TypeAliasType

IMAGE_ID_PATTERN = r"^img_[0-9a-f]{64}$"
NAMED_IMAGE_PATTERN = r"^(img_[0-9a-f]{64}|https?://.+)$"
"""An image that a parameter names is the id of an upload, or an address. The guard of addresses refuses `http` and says why."""
LONGEST_ADDRESS = 2048
IMAGES_ITEM_PATTERN = r"^(img_[0-9a-f]{64}|set_[0-7][0-9A-HJKMNP-TV-Z]{25}|https://.+)$"
"""Each of several images is the id of an upload, the id of a set, or an address. An accepted job has the ids of uploads only."""


class InlineImage(BaseModel):
    """The image itself: a JPEG, PNG, WebP, GIF, BMP, AVIF or HEIC file in base64 (RFC 4648, standard alphabet)."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="InlineImage")

    base64: str = Field(
        min_length=1,
        description="The content of the file in base64, or a `data:` URL with it. Decoded, it has at most 10 MiB.",
        examples=["iVBORw0KGgo…"],
        json_schema_extra={"contentEncoding": "base64"},
    )


class UploadedImageReference(BaseModel):
    """An image that was uploaded with `POST /v1/images`."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="UploadedImageReference")

    id: Annotated[str, Field(pattern=IMAGE_ID_PATTERN, description="`img_`, followed by the sha256 of the file in hex.")]


ARRAY_DTYPES = (
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64",
)  # fmt: skip
"""The number types that an array of a request may have, as NumPy names them."""
ArrayDtype = Literal[
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"
]  # fmt: skip


class ArrayContent(BaseModel):
    """An array in a request: little-endian numbers in C order."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="ArrayContent")

    dtype: ArrayDtype = Field(description="NumPy's name of the number type.", examples=["float32"])
    shape: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=8)] = Field(description="The lengths of the axes.")
    base64: str = Field(
        min_length=1,
        description="The numbers' bytes in base64. Decoded, they are at most 10 MiB.",
        json_schema_extra={"contentEncoding": "base64"},
    )


class ImageAddress(BaseModel):
    """An image at a public address, which the service fetches if its operator has turned that on."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="ImageAddress")

    url: str = Field(
        min_length=1,
        max_length=LONGEST_ADDRESS,
        description="The `https` address of the image. The image is stored as if it had been uploaded.",
        examples=["https://example.com/cat.jpg"],
    )


class ArrayReference(BaseModel):
    """An array that is taken exactly as it is: (H, W, C) or (H, W) for an image, with the model's own number of channels."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="ArrayReference")

    array: ArrayContent


ImageReference = InlineImage | UploadedImageReference | ArrayReference | ImageAddress


def _bare_address(value: Any) -> Any:
    """Return the address of `{"url": address}` alone, and any other value as it is."""
    fields: Any = value
    return ImageAddress.model_validate(fields).url if isinstance(value, dict) and list(fields) == ["url"] else fields


_IdOrAddress = Annotated[str, Field(pattern=NAMED_IMAGE_PATTERN, max_length=LONGEST_ADDRESS)]
NamedImage = Annotated[_IdOrAddress, BeforeValidator(_bare_address, json_schema_input_type=_IdOrAddress | ImageAddress)]
"""An image that a parameter names: the id of an upload, its address as text, or `{"url": address}`. An accepted job has ids only."""
ADDRESS_ALLOWED = '`{"url": …}` with the `https` address of an image may replace the id if the operator has turned that on.'
"""The sentence with which the descriptions of such parameters end."""


class ImageValue(BaseModel):
    """An image for one of a model's inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="ImageValue")

    image: ImageReference


NumberValue = bool | int | float
InputValue = (
    NumberValue
    | Annotated[tuple[NumberValue, ...], Field(min_length=1)]
    | Annotated[tuple[Annotated[tuple[NumberValue, ...], Field(min_length=1)], ...], Field(min_length=1)]
    | ImageValue
    | ArrayReference
)
"""The value of one of a model's inputs: numbers, a list of them, rows of them, an image, or an array."""
# The alias has a name, so that a JSON schema refers to it instead of repeating it.
InputValues = TypeAliasType("InputValues", dict[str, InputValue])


class ImageLimits(BaseModel):
    """Limits of an image file. They are checked on the file's header, before anything is decoded."""

    model_config = ConfigDict(frozen=True)

    max_bytes: int = Field(default=20 * 1024 * 1024, gt=0, description="An image file may have at most this many bytes.")
    max_pixels: int = Field(default=25_000_000, gt=0, description="An image may have at most this many pixels (width × height).")
    max_side: int = Field(default=16_384, gt=0, description="The width and the height may be at most this many pixels.")
    formats: tuple[str, ...] = Field(
        default=("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", "HEIF"),
        description="The allowed formats, as Pillow names them (HEIC files are HEIF). The content of the file decides its format, not its "
        "name. By default they are JPEG, PNG, WEBP, GIF, BMP, AVIF and HEIF.",
    )


class UploadedImage(BaseModel):
    """An image that the caller has uploaded."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(pattern=IMAGE_ID_PATTERN, description="`img_`, followed by the sha256 of the file in hex.")
    format: str = Field(examples=["PNG"], description="The format of the file, as Pillow names it, or `NPY` for an array.")
    width: int = Field(gt=0, description="The width in pixels, before the EXIF orientation is applied.")
    height: int = Field(gt=0, description="The height in pixels, before the EXIF orientation is applied.")
    size: int = Field(gt=0, description="The size of the file in bytes.")
    expires_at: AwareDatetime | datetime = Field(
        description="The service keeps the image until this time, unless room is short. A job that uses the image moves the time."
    )
    url: str = Field(
        description="This is the address of the image. If the caller has a key, it is signed, and works for an hour without the key.",
        examples=["/v1/images/img_9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )


class UploadedImagePage(BaseModel):
    """A page of the caller's uploads."""

    model_config = ConfigDict(frozen=True)

    items: tuple[UploadedImage, ...] = Field(description="The uploads. The image that was uploaded last comes first.")
    next_cursor: str | None = Field(description="The `cursor` of the next page, or null after the last page.")


def image_url(image_id: str) -> str:
    """Return the address of an uploaded image."""
    return f"/v1/images/{image_id}"
