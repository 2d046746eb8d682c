"""How a submission refers to its image, and what an upload answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

IMAGE_ID_PATTERN = r"^img_[0-9a-f]{64}$"


class InlineImage(BaseModel):
    """The image itself, base64 (RFC 4648, standard alphabet) of a JPEG, PNG, WebP, GIF or BMP file."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="InlineImage")

    base64: str = Field(
        min_length=1,
        description="File content in base64; at most 10 MiB decoded.",
        examples=["iVBORw0KGgo…"],
        json_schema_extra={"contentEncoding": "base64"},
    )


class UploadedImageReference(BaseModel):
    """An image uploaded before with `POST /v1/images`."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="UploadedImageReference")

    id: Annotated[str, Field(pattern=IMAGE_ID_PATTERN, description="`img_` and the file's sha256.")]


ImageReference = InlineImage | UploadedImageReference


class ImageLimits(BaseModel):
    """What an image may be; checked from its header before anything is decoded."""

    model_config = ConfigDict(frozen=True)

    max_bytes: int = Field(default=20 * 1024 * 1024, gt=0, description="Bytes of one image file.")
    max_pixels: int = Field(default=25_000_000, gt=0, description="Width × height.")
    max_side: int = Field(default=16_384, gt=0, description="Longest side, pixels.")
    formats: tuple[str, ...] = Field(default=("JPEG", "PNG", "WEBP", "GIF", "BMP"), description="Pillow format names, by content.")


class UploadedImage(BaseModel):
    """Answer of `POST /v1/images`."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(pattern=IMAGE_ID_PATTERN)
    format: str = Field(examples=["PNG"])
    width: int = Field(gt=0, description="Pixels, before EXIF orientation is applied.")
    height: int = Field(gt=0)
    size: int = Field(gt=0, description="Bytes.")
    expires_at: AwareDatetime | datetime
