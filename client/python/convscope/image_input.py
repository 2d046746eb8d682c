"""The forms in which a caller may give an image: a path, bytes, a Pillow image, a NumPy array or the id of an upload."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    ImageInput: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | np.ndarray[Any, Any]
    """An image: a path, the content of a file, a Pillow image, an array, the id of an upload (`img_…`), or an `https://` address."""
else:
    ImageInput = Any

_IMAGE_ID = re.compile(r"img_[0-9a-f]{64}")
_SET_ID = re.compile(r"set_[0-9A-HJKMNP-TV-Z]{26}")
_ARRAY_MAGIC = b"\x93NUMPY"


@dataclass(frozen=True)
class ImageBytes:
    """The content of an image file or of an `.npy` file, and the id that an upload of it has."""

    content: bytes
    id: str

    @property
    def media_type(self) -> str:
        return "application/x-npy" if self.content.startswith(_ARRAY_MAGIC) else "image/*"


def is_image_id(image: object) -> bool:
    """Say whether `image` is the id of an upload."""
    return isinstance(image, str) and _IMAGE_ID.fullmatch(image) is not None


def is_set_id(image: str) -> bool:
    """Say whether a text is the id of a set of images, which stands for the images of the set in a list of images."""
    return _SET_ID.fullmatch(image) is not None


def is_address(image: str) -> bool:
    """Say whether a text is an address, from which the service fetches the image."""
    return image.startswith(("https://", "http://"))


async def read_image(image: ImageInput) -> ImageBytes:
    """Return the file of an image.

    A `uint8` array (H, W), (H, W, 3) or (H, W, 4) is a photo and becomes a PNG file. Any other array is sent as it is, and the model
    sees exactly its numbers.

    Raises:
        FileNotFoundError: there is no such file.
        TypeError: the value is none of the forms of an image.
    """
    content = await asyncio.to_thread(_content, image)
    return ImageBytes(content, f"img_{hashlib.sha256(content).hexdigest()}")


def _content(image: Any) -> bytes:
    if isinstance(image, (bytes, bytearray)):
        return bytes(image)
    if isinstance(image, (str, os.PathLike)):
        return Path(image).read_bytes()  # pyright: ignore[reportUnknownArgumentType]
    if hasattr(image, "__array_interface__") and hasattr(image, "dtype"):
        return _array_content(image)
    if hasattr(image, "save") and hasattr(image, "mode"):
        return _png(image)
    raise TypeError(f"An image is a path, bytes, a Pillow image, a NumPy array or the id of an upload; got {type(image).__name__}.")


def _array_content(array: Any) -> bytes:
    if str(array.dtype) == "uint8" and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        return _png(import_module("PIL.Image").fromarray(array))
    buffer = io.BytesIO()
    import_module("numpy").save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _png(image: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
