"""The asynchronous client of the service."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from functools import partial
from typing import Any, Self, cast
from urllib.parse import quote

import httpx

from convscope.async_job import AsyncJob
from convscope.batches import AsyncBatch, batch_lines
from convscope.connection import ServiceConnection
from convscope.discovery import AsyncDiscovery
from convscope.errors import ConvscopeError, NotFoundError
from convscope.generated.async_methods import AsyncMethods
from convscope.image_input import ImageInput
from convscope.images_in_params import named_images, uploaded_images
from convscope.result import AsyncResult
from convscope.retrying import RetryPolicy
from convscope.uploads import Uploads

_FIRST_WAIT_SECONDS = 20


class AsyncClient(AsyncMethods, AsyncDiscovery):
    """A client of the service at `url`, whose methods are coroutines.

    Args:
        url: the address of the service, such as `http://localhost:8000`.
        key: the API key, or None if the service needs none.
        timeout: seconds without an answer after which a request is given up. Waiting for a job has its own limit.
        retries: how often calls are repeated if the service says that they may succeed later, or if the connection breaks.
        transport: a transport of httpx in place of the network.

    Raises:
        ValueError: `url` is no address of a service.

    Use it as `async with AsyncClient(url) as client: …`, or call `close` at the end.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = 120.0,
        retries: RetryPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = ServiceConnection(url, key, timeout, retries or RetryPolicy(), transport)
        self._uploads = Uploads(self._connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def run(
        self,
        method: str,
        image: ImageInput | None = None,
        *,
        model: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the limit has an error of its own
        **arguments: Any,
    ) -> AsyncResult:
        """Run a method and return its result. `arguments` are those of `submit`.

        Raises:
            ProblemError: the service refused the call, or the job failed. The class is that of the error's code.
            WaitTimeoutError: the job had not ended in `timeout` seconds. It goes on.
            NetworkError: the service cannot be reached.
        """
        first = _FIRST_WAIT_SECONDS if timeout is None else max(0, min(_FIRST_WAIT_SECONDS, int(timeout)))
        began = asyncio.get_running_loop().time()
        job = await self.submit(method, image, model=model, wait=first, **arguments)
        return await job.wait(None if timeout is None else timeout - (asyncio.get_running_loop().time() - began))

    async def submit(
        self,
        method: str,
        image: ImageInput | None = None,
        *,
        model: str | None = None,
        images: Iterable[ImageInput] | None = None,
        model_inputs: Mapping[str, Any] | None = None,
        priority: str | None = None,
        fresh: bool = False,
        idempotency_key: str | None = None,
        wait: int = 0,
        **params: Any,
    ) -> AsyncJob:
        """Submit a job and return it without waiting for its end.

        Args:
            method: the name of the method, such as `grad_cam`.
            image: the image in any form, if the method looks at one. It is uploaded once for this client.
            model: the name of the model, if the method needs one.
            images: the images, if the method takes several. The id of a set stands for its images.
            model_inputs: values of the model's other inputs by name, as `docs/inputs.md` describes them.
            priority: `high`, `normal` or `low`.
            fresh: compute again, even if an identical job has a result.
            idempotency_key: a key of your own, with which the same submission answers the same job for 24 hours. Without it, the client
                makes one, so that its own repetitions make no second job.
            wait: seconds that the answer waits for the job's end.
            params: the parameters of the method. An image in them may have any form, and is uploaded as those of `images` are: in sets of
                photos, `{"name": …, "images": […]}`, as `mask` of a region, as `image` of a target, and as `other_image`.

        Raises:
            ProblemError: the service refused the submission.
            NetworkError: the service cannot be reached.
        """
        body: dict[str, Any] = {"method": method, "model": model, "inputs": model_inputs, "priority": priority}
        body = {name: value for name, value in body.items() if value is not None} | {"params": params}
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex} | ({"Cache-Control": "no-cache"} if fresh else {})
        headers["Prefer"] = f"wait={wait}" if wait else "respond-async"
        several = None if images is None else list(images)
        try:
            await self._name_images(body, image, several, params, again=False)
            return await self._post(body, headers, wait)
        except NotFoundError:
            # An upload lives for a limited time in the service. If it is gone, sending it once more is all that is needed.
            if image is None and not several and not named_images(method, params):
                raise
            await self._name_images(body, image, several, params, again=True)
            return await self._post(body, headers, wait)

    async def map(
        self, method: str, images: Iterable[ImageInput], *, model: str | None = None, callers: int = 8, **arguments: Any
    ) -> AsyncGenerator[AsyncResult | ConvscopeError | OSError]:
        """Run a method on many images, and yield the results in the order of the images.

        An image that fails yields its error as a value, and the others go on.

        Args:
            method: the name of the method.
            images: the images; they are taken as there is room, so that an endless source is fine.
            model: the name of the model, if the method needs one.
            callers: the number of images that are under way at the same time.
            arguments: as for `run`.

        Raises:
            ValueError: `callers` is below 1.
        """
        if callers < 1:
            raise ValueError(f"callers must be at least 1; got {callers}.")
        places, ahead = asyncio.Semaphore(callers), 4 * callers

        async def one(image: ImageInput) -> AsyncResult | ConvscopeError | OSError:
            async with places:
                try:
                    return await self.run(method, image, model=model, **arguments)
                except (ConvscopeError, OSError) as error:
                    return error

        source, pending = iter(images), deque[asyncio.Task[AsyncResult | ConvscopeError | OSError]]()
        try:
            while True:
                while len(pending) < ahead and (image := next(source, None)) is not None:
                    pending.append(asyncio.ensure_future(one(image)))
                if not pending:
                    return
                value = await pending[0]
                pending.popleft()
                yield value
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def batch(
        self,
        method: str,
        images: Iterable[ImageInput] | Mapping[str, ImageInput],
        *,
        model: str | None = None,
        priority: str | None = None,
        idempotency_key: str | None = None,
        **params: Any,
    ) -> AsyncBatch:
        """Submit a method on many images as one batch, which the service works through by itself.

        Args:
            method: the name of the method.
            images: the images, or images by names of your own. Each name may have at most 128 characters.
            model: the name of the model, if the method needs one.
            priority: `high`, `normal` or `low`, which is the default.
            idempotency_key: a key of your own, with which the same batch is answered for 24 hours.
            params: the parameters of the method. Files that they name are uploaded, as `submit` says.

        Raises:
            ProblemError: the service refused the batch as a whole. A wrong item fails alone.
            OSError: a file cannot be read.
        """
        items: list[tuple[str | None, ImageInput | None]]
        if isinstance(images, Mapping):
            named = cast("Mapping[str, ImageInput]", images)
            items = [*named.items()]
        else:
            items = [(None, image) for image in images]
        shared: dict[str, Any] = {"method": method, "model": model, "priority": priority}
        shared["params"] = await uploaded_images(method, params, self._uploads.item)
        defaults = {name: value for name, value in shared.items() if value is not None}
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        answer = await self._connection.request(
            "POST",
            "/v1/batches",
            content=lambda: batch_lines(defaults, items, self._uploads.put),
            headers=headers,
            repeatable=True,
        )
        return AsyncBatch(self._connection, answer.json(), defaults)

    async def job(self, job_id: str) -> AsyncJob:
        """Return the job of an id, which an earlier program may have submitted."""
        return AsyncJob(self._connection, (await self._connection.request("GET", f"/v1/jobs/{quote(job_id, safe='')}")).json())

    async def _name_images(
        self,
        body: dict[str, Any],
        image: ImageInput | None,
        images: list[ImageInput] | None,
        params: Mapping[str, Any],
        *,
        again: bool,
    ) -> None:
        item = partial(self._uploads.item, again=again)
        if image is not None:
            body["image"] = await self._uploads.reference(image, again=again)
        body["params"] = await uploaded_images(body["method"], params, item)
        if images is not None:
            body["params"]["images"] = await asyncio.gather(*map(item, images))

    async def _post(self, body: dict[str, Any], headers: dict[str, str], wait: int) -> AsyncJob:
        answer = await self._connection.request("POST", "/v1/jobs", json=body, headers=headers, repeatable=True, read_timeout=wait + 15)
        return AsyncJob(self._connection, answer.json())

    async def _run_method(self, method: str, arguments: dict[str, Any]) -> AsyncResult:
        return await self.run(method, **arguments)
