"""Call the method for one photo, with as few requests as possible: the photo travels with the submission."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import httpx

from convscope.archives import read_archive
from convscope.async_client import AsyncClient
from convscope.async_job import AsyncJob, artifact_fetcher
from convscope.cli.planning import RunItem, RunRequest
from convscope.cli.quick_reader import QuickReader
from convscope.cli.save_choice import SaveChoice
from convscope.errors import ConvscopeError
from convscope.result import AsyncResult

_WAIT_SECONDS = 20


class RunClient(AsyncClient):
    """The client of a run, which calls the method for one item after the other. The arguments are those of `AsyncClient`."""

    def __init__(self, url: str, key: str | None = None, **options: Any) -> None:
        super().__init__(url, key, **options)
        self._forms = QuickReader()

    async def outcome_of(self, request: RunRequest, item: RunItem, save: SaveChoice) -> AsyncResult | ConvscopeError | OSError:
        """Run the method for one item, and return its result or its error as a value.

        The artifacts that `save` takes come with the result, unless the job takes long.
        """
        try:
            if isinstance(item.photo, str):
                return await self._run_photo(request, Path(item.photo), save.archive_names)
            photos = {} if item.photo is None else {"images": [Path(path) for path in item.photo]}
            return await self.run(request.method, model=request.model, priority=request.priority, **photos, **request.params)
        except (ConvscopeError, OSError) as error:
            return error

    async def _run_photo(self, request: RunRequest, photo: Path, names: str | None) -> AsyncResult:
        """Submit a photo as a form, and return its result. If the job ends in time, the artifacts of these names come with it.

        `submit` uploads the photo by itself, so that it can be used again. Here each photo is used once.
        """
        media_type, content = await self._forms.read(_form, request, photo)
        headers = {
            "Content-Type": media_type,
            "Idempotency-Key": uuid.uuid4().hex,
            "Prefer": f"wait={_WAIT_SECONDS}",
        }
        answer = await self._connection.request(
            "POST",
            "/v1/jobs" if names is None else "/v1/jobs.zip",
            params={"names": names} if names else None,
            content=content,
            headers=headers,
            repeatable=True,
            read_timeout=_WAIT_SECONDS + 15,
        )
        if answer.headers["Content-Type"] != "application/zip":
            return await AsyncJob(self._connection, answer.json()).wait()
        job, contents = read_archive(answer.content)
        return AsyncResult(job, artifact_fetcher(self._connection, job["id"]), contents)


def _form(request: RunRequest, photo: Path) -> tuple[str, bytes]:
    """Return the media type and the body of a submission."""
    fields = {"method": request.method, "model": request.model, "priority": request.priority}
    body = json.dumps({name: value for name, value in fields.items() if value is not None} | {"params": request.params})
    files = {"request": (None, body, "application/json"), "image": ("photo", photo.read_bytes())}
    form = httpx.Request("POST", "http://form", files=files)
    return form.headers["Content-Type"], form.read()
