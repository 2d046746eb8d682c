"""Upload each image once for a client, however often it is used."""

from __future__ import annotations

import asyncio
from typing import Any

from convscope.connection import ServiceConnection
from convscope.image_input import ImageBytes, ImageInput, is_address, is_image_id, is_set_id, read_image


class Uploads:
    """The uploads of one client. They are known by the hash of the file, which is also the id that the service gives them."""

    def __init__(self, connection: ServiceConnection) -> None:
        self._connection = connection
        self._known: dict[str, asyncio.Task[dict[str, Any]]] = {}

    async def id_of(self, image: ImageInput, *, again: bool = False) -> str:
        """Return the id of an image, and upload it unless this client has done so before.

        Args:
            image: an image in any form. The id of an upload is returned as it is.
            again: upload the image even if this client has done so, because the service has forgotten it.

        Raises:
            ProblemError, NetworkError: the upload failed.
        """
        if is_image_id(image):
            return str(image)
        file = await read_image(image)
        await self.put(file, again=again)
        return file.id

    async def item(self, image: ImageInput, *, again: bool = False) -> str:
        """Return how a list of images names an image: by the id of its upload. The id of a set and an `https://` address stay as they are.

        Raises:
            ProblemError, NetworkError: the upload failed.
            OSError: a file cannot be read.
        """
        if isinstance(image, str) and (is_set_id(image) or is_address(image)):
            return image
        return await self.id_of(image, again=again)

    async def reference(self, image: ImageInput, *, again: bool = False) -> dict[str, str]:
        """Return how a submission names an image: by the id of its upload, or by its address if `image` is an `https://` address."""
        if isinstance(image, str) and is_address(image):
            return {"url": image}
        return {"id": await self.id_of(image, again=again)}

    async def put(self, file: ImageBytes, *, again: bool = False) -> dict[str, Any]:
        """Upload a file unless this client has done so before, and return the service's description of it.

        Calls at the same time share one upload.
        """
        task = self._known.get(file.id)
        if task is None or (again and task.done()) or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(self._send(file))
            self._known[file.id] = task
        return await asyncio.shield(task)

    def forget(self, image_id: str) -> None:
        """Forget that an image was uploaded, because it was deleted."""
        self._known.pop(image_id, None)

    async def _send(self, file: ImageBytes) -> dict[str, Any]:
        headers = {"Content-Type": file.media_type}
        # The same file always has the same id, so sending it twice does no harm.
        answer = await self._connection.request("POST", "/v1/images", content=file.content, headers=headers, repeatable=True)
        return answer.json()
