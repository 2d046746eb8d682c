"""Call the method for one photo, with as few requests as possible: the photo travels with the submission."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path

import httpx

from convscope.async_client import AsyncClient
from convscope.async_job import AsyncJob
from convscope.cli.planning import RunItem, RunRequest
from convscope.errors import ConvscopeError
from convscope.result import AsyncResult

_WAIT_SECONDS = 20


class RunClient(AsyncClient):
    """The client of a run, which calls the method for one item after the other."""

    async def outcome_of(self, request: RunRequest, item: RunItem) -> AsyncResult | ConvscopeError | OSError:
        """Run the method for one item, and return its result or its error as a value."""
        try:
            if isinstance(item.photo, str):
                return await (await self._submit_photo(request, Path(item.photo))).wait()
            photos = {} if item.photo is None else {"images": [Path(path) for path in item.photo]}
            return await self.run(request.method, model=request.model, priority=request.priority, **photos, **request.params)
        except (ConvscopeError, OSError) as error:
            return error

    async def _submit_photo(self, request: RunRequest, photo: Path) -> AsyncJob:
        """Submit a photo as a form, and return its job, which has usually ended.

        `submit` uploads the photo by itself, so that it can be used again. Here each photo is used once.
        """
        content = await asyncio.to_thread(photo.read_bytes)
        fields = {"method": request.method, "model": request.model, "priority": request.priority}
        body = json.dumps({name: value for name, value in fields.items() if value is not None} | {"params": request.params})
        form = httpx.Request("POST", "http://form", files={"request": (None, body, "application/json"), "image": ("photo", content)})
        headers = {
            "Content-Type": form.headers["Content-Type"],
            "Idempotency-Key": uuid.uuid4().hex,
            "Prefer": f"wait={_WAIT_SECONDS}",
        }
        answer = await self._connection.request(
            "POST", "/v1/jobs", content=form.read(), headers=headers, repeatable=True, read_timeout=_WAIT_SECONDS + 15
        )
        return AsyncJob(self._connection, answer.json())
