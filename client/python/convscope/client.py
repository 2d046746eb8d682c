"""The client of the service."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx

from convscope.async_client import AsyncClient
from convscope.background_loop import BackgroundLoop
from convscope.errors import ConvscopeError
from convscope.generated.methods import Methods
from convscope.image_input import ImageInput
from convscope.job import Batch, Job, waited_result
from convscope.result import AsyncResult, Result
from convscope.retrying import RetryPolicy


class Client(Methods):
    """A client of the service at `url`. Threads may share it.

    Args:
        url: the address of the service, such as `http://localhost:8000`.
        key: the API key, or None if the service needs none.
        timeout: seconds without an answer after which a request is given up. Waiting for a job has its own limit.
        retries: how often calls are repeated if the service says that they may succeed later, or if the connection breaks.
        transport: a transport of httpx in place of the network.

    Raises:
        ValueError: `url` is no address of a service.

    Use it as `with Client(url) as client: …`, or call `close` at the end.
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
        self._client = AsyncClient(url, key, timeout=timeout, retries=retries, transport=transport)
        self._loop = BackgroundLoop()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Results that are not loaded can no longer be downloaded."""
        if not self._loop.closed:
            self._loop.run(self._client.close())
            self._loop.close()

    def run(
        self,
        method: str,
        image: ImageInput | None = None,
        *,
        model: str | None = None,
        timeout: float | None = None,
        **arguments: Any,
    ) -> Result:
        """Run a method and return its result. `arguments` are those of `submit`.

        Raises:
            ProblemError: the service refused the call, or the job failed. The class is that of the error's code.
            WaitTimeoutError: the job had not ended in `timeout` seconds. It goes on.
            NetworkError: the service cannot be reached.
        """
        return self._waited(self._loop.run(self._client.run(method, image, model=model, timeout=timeout, **arguments)))

    def submit(self, method: str, image: ImageInput | None = None, *, model: str | None = None, **arguments: Any) -> Job:
        """Submit a job and return it without waiting for its end. `arguments` are those of `AsyncClient.submit`.

        Raises:
            ProblemError: the service refused the submission.
            NetworkError: the service cannot be reached.
        """
        return Job(self._loop, self._loop.run(self._client.submit(method, image, model=model, **arguments)))

    def map(
        self, method: str, images: Iterable[ImageInput], *, model: str | None = None, callers: int = 8, **arguments: Any
    ) -> Iterator[Result | ConvscopeError | OSError]:
        """Run a method on many images, and yield the results in the order of the images.

        An image that fails yields its error as a value, and the others go on. `callers` images are under way at the same time.

        Raises:
            ValueError: `callers` is below 1.
        """
        for value in self._loop.iterate(self._client.map(method, images, model=model, callers=callers, **arguments)):
            yield self._waited(value) if isinstance(value, AsyncResult) else value

    def batch(
        self, method: str, images: Iterable[ImageInput] | Mapping[str, ImageInput], *, model: str | None = None, **arguments: Any
    ) -> Batch:
        """Submit a method on many images as one batch. `arguments` are those of `AsyncClient.batch`.

        Raises:
            ProblemError: the service refused the batch as a whole. A wrong item fails alone.
            OSError: a file cannot be read.
        """
        return Batch(self._loop, self._loop.run(self._client.batch(method, images, model=model, **arguments)))

    def job(self, job_id: str) -> Job:
        """Return the job of an id, which an earlier program may have submitted."""
        return Job(self._loop, self._loop.run(self._client.job(job_id)))

    def models(self) -> list[dict[str, Any]]:
        """Return every model with its name, its source and its input."""
        return self._loop.run(self._client.models())

    def model(self, name: str) -> dict[str, Any]:
        """Return the description of a model with its layers and its default target layer."""
        return self._loop.run(self._client.model(name))

    def layers(self, model: str, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the layers of a model, or only those of one kind, such as `conv`."""
        return self._loop.run(self._client.layers(model, kind))

    def labels(self, model: str, q: str | None = None) -> list[dict[str, Any]]:
        """Return the classes of a model, or only those whose label contains `q`."""
        return self._loop.run(self._client.labels(model, q))

    def upload_model(self, path: str | os.PathLike[str], name: str | None = None) -> dict[str, Any]:
        """Upload a `.keras` or `.h5` file as a model, and return its description. See `AsyncClient.upload_model`.

        Raises:
            ModelError: the file holds no model that can be used, the name is not free, or there is no room or no permission for models.
            OSError: the file cannot be read.
        """
        return self._loop.run(self._client.upload_model(path, name))

    def delete_model(self, name: str) -> None:
        """Delete a model that was uploaded. Jobs that have it in memory go on."""
        self._loop.run(self._client.delete_model(name))

    def methods(self) -> list[dict[str, Any]]:
        """Return every method with its parameters, an example and its artifacts."""
        return self._loop.run(self._client.methods())

    def images(self, cursor: str | None = None) -> dict[str, Any]:
        """Return a page of the caller's uploads: `items`, and `next_cursor` for the page after it."""
        return self._loop.run(self._client.images(cursor))

    def jobs(self, cursor: str | None = None, **filters: str) -> dict[str, Any]:
        """Return a page of the caller's jobs, the newest first. `filters` are `state`, `method` and `model`."""
        return self._loop.run(self._client.jobs(cursor, **filters))

    def upload(self, image: ImageInput) -> str:
        """Upload an image, unless this client has done so before, and return its id. An id is returned as it is."""
        return self._loop.run(self._client.upload(image))

    def delete_image(self, image_id: str) -> None:
        """Delete an upload. Jobs that were submitted with it go on."""
        self._loop.run(self._client.delete_image(image_id))

    def _run_method(self, method: str, arguments: dict[str, Any]) -> Result:
        return self.run(method, **arguments)

    def _waited(self, result: AsyncResult) -> Result:
        return waited_result(self._loop, result)
