"""Upload the images of the sets of photos that a method's parameters name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from convscope.generated.photo_set_fields import PHOTO_SET_FIELDS
from convscope.uploads import Uploads


def named_sets(method: str, params: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the sets of photos in the parameters of a method, by the names of the parameters."""
    return {name: list(params[name]) for name in PHOTO_SET_FIELDS.get(method, ()) if isinstance(params.get(name), (list, tuple))}


async def uploaded_sets(uploads: Uploads, sets: Mapping[str, list[Any]], *, again: bool) -> dict[str, list[Any]]:
    """Return sets of photos with the id of an upload for each image, as `Uploads.item` says. The id of a set stays as it is.

    Args:
        uploads: the uploads of the client.
        sets: the sets by the names of the parameters, each a set's id or a mapping with `name` and `images`.
        again: upload the images even if the client has done so.

    Raises:
        ProblemError, NetworkError: an upload failed.
        OSError: a file cannot be read.
    """

    async def uploaded(photo_set: Any) -> Any:
        if not isinstance(photo_set, Mapping):
            return photo_set
        given = cast("Mapping[str, Any]", photo_set)
        images: Any = given.get("images")
        if not isinstance(images, (list, tuple)):
            return dict(given)
        each = cast("list[Any]", images)
        return {**given, "images": await asyncio.gather(*(uploads.item(image, again=again) for image in each))}

    return {name: await asyncio.gather(*map(uploaded, members)) for name, members in sets.items()}
