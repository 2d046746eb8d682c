"""Ask what the service has: models, layers, labels, methods, and the caller's images and jobs. Add and delete models and images."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from urllib.parse import quote

from convscope.connection import ServiceConnection
from convscope.image_input import ImageInput, is_image_id, read_image
from convscope.model_file import CHECK_SECONDS, name_of_model, pieces_of
from convscope.uploads import Uploads


class AsyncDiscovery:
    """The questions that a client asks the service. The answers are the service's JSON, which `/docs` of the service describes."""

    _connection: ServiceConnection
    _uploads: Uploads

    async def models(self) -> list[dict[str, Any]]:
        """Return every model with its name, its source and its input."""
        return await self._get("/v1/models")

    async def model(self, name: str) -> dict[str, Any]:
        """Return the description of a model with its layers and its default target layer."""
        return await self._get(f"/v1/models/{quote(name, safe='')}")

    async def layers(self, model: str, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the layers of a model, or only those of one kind, such as `conv`."""
        return await self._get(f"/v1/models/{quote(model, safe='')}/layers", kind=kind)

    async def labels(self, model: str, q: str | None = None) -> list[dict[str, Any]]:
        """Return the classes of a model, or only those whose label contains `q`."""
        return await self._get(f"/v1/models/{quote(model, safe='')}/labels", q=q)

    async def upload_model(self, path: str | os.PathLike[str], name: str | None = None) -> dict[str, Any]:
        """Upload a `.keras` or `.h5` file as a model, and return its description when a worker has checked it.

        A model that was uploaded under this name before is replaced. The key needs the scope `admin`, and the operator must have turned
        uploads of models on.

        Args:
            path: the file. It is read a piece at a time.
            name: the name of the model. Without it, the name is that of the file without its suffix.

        Raises:
            ModelError: the file holds no model that can be used, the name is not free, or there is no room or no permission for models.
            ProblemError: the service refused the upload for another reason.
            OSError: the file cannot be read.
        """
        size = (await asyncio.to_thread(os.stat, path)).st_size
        answer = await self._connection.request(
            "PUT",
            f"/v1/models/{quote(name or name_of_model(path), safe='')}",
            content=lambda: pieces_of(path),
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(size)},
            read_timeout=CHECK_SECONDS,
        )
        return answer.json()

    async def delete_model(self, name: str) -> None:
        """Delete a model that was uploaded. Jobs that have it in memory go on."""
        await self._connection.request("DELETE", f"/v1/models/{quote(name, safe='')}")

    async def methods(self) -> list[dict[str, Any]]:
        """Return every method with its parameters, an example and its artifacts."""
        return await self._get("/v1/methods")

    async def images(self, cursor: str | None = None) -> dict[str, Any]:
        """Return a page of the caller's uploads: `items`, and `next_cursor` for the page after it."""
        return await self._get("/v1/images", cursor=cursor)

    async def jobs(self, cursor: str | None = None, **filters: str) -> dict[str, Any]:
        """Return a page of the caller's jobs, the newest first. `filters` are `state`, `method` and `model`."""
        return await self._get("/v1/jobs", cursor=cursor, **filters)

    async def upload(self, image: ImageInput) -> str:
        """Upload an image, unless this client has done so before, and return its id. An id is returned as it is."""
        if is_image_id(image):
            return str(image)
        return str((await self._uploads.put(await read_image(image)))["id"])

    async def delete_image(self, image_id: str) -> None:
        """Delete an upload. Jobs that were submitted with it go on."""
        self._uploads.forget(image_id)
        await self._connection.request("DELETE", f"/v1/images/{quote(image_id, safe='')}")

    async def _get(self, path: str, **params: str | None) -> Any:
        given = {name: value for name, value in params.items() if value is not None}
        return (await self._connection.request("GET", path, params=given)).json()
