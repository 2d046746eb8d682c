"""Upload the images that stand in a method's parameters: in sets of photos, as masks of regions, and as another image to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from convscope.generated.photo_set_fields import PHOTO_SET_FIELDS
from convscope.image_input import ImageInput

IMAGE_FIELDS = ("other_image", "mask", "image")
"""The names of the fields, in the parameters or inside them, that name one image."""


def named_images(method: str, params: Mapping[str, Any]) -> list[ImageInput]:
    """Return the images that stand in the parameters of a method, in any form."""
    found: list[ImageInput] = []

    def note(image: ImageInput) -> ImageInput:
        found.append(image)
        return image

    _replaced(method, params, note)
    return found


async def uploaded_images(method: str, params: Mapping[str, Any], item: Callable[[ImageInput], Awaitable[str]]) -> dict[str, Any]:
    """Return the parameters of a method with the id of an upload for each image. The ids of sets and addresses stay as they are.

    Args:
        method: the name of the method.
        params: its parameters. Nothing in them is changed.
        item: uploads an image and returns how the service names it, as `Uploads.item` does.

    Raises:
        ProblemError, NetworkError: an upload failed.
        OSError: a file cannot be read.
    """
    names = iter(await asyncio.gather(*map(item, named_images(method, params))))
    return _replaced(method, params, lambda _: next(names))


def _replaced(method: str, params: Mapping[str, Any], replace: Callable[[ImageInput], ImageInput]) -> dict[str, Any]:
    """Return the parameters with what `replace` returns in the place of each image. It is called in the order of the images."""
    set_fields = PHOTO_SET_FIELDS.get(method, ())

    def inside(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [inside(each) for each in cast("list[Any]", value)]
        if not isinstance(value, Mapping):
            return value
        given = cast("Mapping[str, Any]", value)
        return {name: field(name, each) for name, each in given.items()}

    def field(name: str, value: Any) -> Any:
        return replace(value) if name in IMAGE_FIELDS and not (value is None or isinstance(value, Mapping)) else inside(value)

    def photo_set(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        given = cast("Mapping[str, Any]", value)
        images = given.get("images")
        return {**given, "images": [replace(each) for each in cast("list[Any]", images)]} if isinstance(images, (list, tuple)) else given

    def parameter(name: str, value: Any) -> Any:
        if name in set_fields and isinstance(value, (list, tuple)):
            return [photo_set(each) for each in cast("list[Any]", value)]
        return field(name, value)

    return {name: parameter(name, value) for name, value in params.items()}
