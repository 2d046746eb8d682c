"""Call the method for one photo, with as few requests as possible: the photo travels with the submission."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from convscope.archives import read_archive
from convscope.async_client import AsyncClient
from convscope.async_job import AsyncJob, artifact_fetcher
from convscope.cli.plain_transport import plain_transport
from convscope.cli.planning import RunItem, RunRequest
from convscope.cli.quick_files import QuickFiles
from convscope.cli.save_choice import SaveChoice
from convscope.errors import ConvscopeError, NetworkError
from convscope.images_in_params import uploaded_images
from convscope.result import AsyncResult

_WAIT_SECONDS = 20


@dataclass(frozen=True)
class PhotoForm:
    """A submission as a form that holds its photo."""

    media_type: str
    content: bytes


PreparedCall = PhotoForm | ConvscopeError | OSError | None
"""The submission of one photo, or the error that it has instead. None stands for an item that is not one photo."""

Answer = AsyncResult | httpx.Response | ConvscopeError | OSError
"""The answer to one call: an error is a value, and a response is a zip file that has not been read yet."""


class RunClient(AsyncClient):
    """The client of a run, which calls the method for one item after the other. The arguments are those of `AsyncClient`."""

    def __init__(self, url: str, key: str | None = None, *, transport: httpx.AsyncBaseTransport | None = None, **options: Any) -> None:
        super().__init__(url, key, transport=transport or plain_transport(url), **options)
        self._files = QuickFiles()
        self._params: tuple[RunRequest, asyncio.Task[dict[str, Any]]] | None = None

    async def prepared(self, request: RunRequest, item: RunItem) -> PreparedCall:
        """Read the photo of an item, and return its submission, or the error if it, or a file that the parameters name, cannot be sent.

        `submit` uploads a photo by itself, so that it can be used again. Here each photo is used once, and travels with its submission.
        None stands for an item that is not one photo.
        """
        if not isinstance(item.photo, str):
            return None
        try:
            return await self._files.call(_form, replace(request, params=await self._sent_params(request)), Path(item.photo))
        except (ConvscopeError, OSError) as error:
            return error

    async def call(self, request: RunRequest, item: RunItem, prepared: PreparedCall, save: SaveChoice) -> Answer:
        """Run the method for one item. The artifacts that `save` takes come with the answer, unless the job takes long."""
        if isinstance(prepared, ConvscopeError | OSError):
            return prepared
        try:
            if prepared is not None:
                return await self._submitted(prepared, save.archive_names)
            photos = {} if item.photo is None else {"images": [Path(path) for path in item.photo]}
            return await self.run(request.method, model=request.model, priority=request.priority, **photos, **request.params)
        except (ConvscopeError, OSError) as error:
            return error

    def outcome_of(self, answer: Answer) -> AsyncResult | ConvscopeError | OSError:
        """Return the result of an answer, or its error."""
        if not isinstance(answer, httpx.Response):
            return answer
        try:
            job, contents = read_archive(answer.content)
        except NetworkError as error:
            return error
        return AsyncResult(job, artifact_fetcher(self._connection, job["id"]), contents)

    async def _sent_params(self, request: RunRequest) -> dict[str, Any]:
        """Return the parameters of a run, with an upload for each file that they name. The files are read and sent once for all photos."""
        if self._params is None or self._params[0] is not request:
            self._params = request, asyncio.create_task(uploaded_images(request.method, request.params, self._uploads.item))
        return await asyncio.shield(self._params[1])

    async def _submitted(self, form: PhotoForm, names: str | None) -> AsyncResult | httpx.Response:
        """Submit a photo. If the job ends in time, the answer is a zip file with the artifacts of these names.

        A repetition after a broken connection joins the work of the first submission or takes its result, because the two are identical.
        So it needs no idempotency key, for which the service would do more work for each photo.
        """
        headers = {"Content-Type": form.media_type, "Prefer": f"wait={_WAIT_SECONDS}"}
        answer = await self._connection.request(
            "POST",
            "/v1/jobs" if names is None else "/v1/jobs.zip",
            params={"names": names} if names else None,
            content=form.content,
            headers=headers,
            repeatable=True,
            read_timeout=_WAIT_SECONDS + 15,
        )
        if answer.headers["Content-Type"] == "application/zip":
            return answer
        return await AsyncJob(self._connection, answer.json()).wait()


def _form(request: RunRequest, photo: Path) -> PhotoForm:
    fields = {"method": request.method, "model": request.model, "priority": request.priority}
    body = json.dumps({name: value for name, value in fields.items() if value is not None} | {"params": request.params})
    files = {"request": (None, body, "application/json"), "image": ("photo", photo.read_bytes())}
    form = httpx.Request("POST", "http://form", files=files)
    return PhotoForm(form.headers["Content-Type"], form.read())
