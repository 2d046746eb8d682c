"""The connection to the service: requests with their key, their time limits and their repetitions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from convscope.errors import NetworkError, ProblemError, problem_of_answer
from convscope.retrying import RetryPolicy, retry_after_seconds

_CONNECT_SECONDS = 10.0
_SAFE = ("GET", "HEAD", "PUT", "DELETE")


class ServiceConnection:
    """A connection to one service.

    Args:
        url: the address of the service, such as `http://localhost:8000`.
        key: the API key, or None if the service needs none.
        timeout: seconds without a byte after which a request is given up.
        retries: when requests are repeated.
        transport: a transport of httpx in place of the network, for tests and for special networks.

    Raises:
        ValueError: the address has no `http://` or `https://`.
    """

    def __init__(self, url: str, key: str | None, timeout: float, retries: RetryPolicy, transport: httpx.AsyncBaseTransport | None) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"The address must begin with http:// or https://; got {url!r}.")
        headers = {"User-Agent": "convscope-client"} | ({"Authorization": f"Bearer {key}"} if key else {})
        limits = httpx.Timeout(timeout, connect=min(_CONNECT_SECONDS, timeout))
        self._http = httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=limits, transport=transport)
        self._retries = retries
        self.timeout = timeout

    async def close(self) -> None:
        await self._http.aclose()

    async def request(
        self,
        verb: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: Callable[[], AsyncIterable[bytes]] | bytes | None = None,
        repeatable: bool | None = None,
        read_timeout: float | None = None,
    ) -> httpx.Response:
        """Send a request and return the answer, whose status is below 400.

        Args:
            content: the body, or a function that begins a new stream of it for each attempt.
            repeatable: whether a second request does no harm after a broken connection. None: GET, HEAD, PUT and DELETE do none.
            read_timeout: seconds to wait for the answer if they are more than the usual ones, because the service waits too.

        Raises:
            ProblemError: the service answered with an error that is not retryable, or it did so too often.
            NetworkError: the service cannot be reached.
        """
        safe = verb in _SAFE if repeatable is None else repeatable
        timeout = httpx.Timeout(max(self.timeout, read_timeout or 0), connect=min(_CONNECT_SECONDS, self.timeout))
        attempt, waited = 0, 0.0
        while True:
            attempt += 1
            body = content() if callable(content) else content
            try:
                response = await self._http.request(verb, path, params=params, headers=headers, json=json, content=body, timeout=timeout)
                if response.is_success:
                    return response
                raise _problem(response)
            except ProblemError as error:
                delay = self._retries.delay(attempt, error, waited)
                if delay is None:
                    raise
            except httpx.TransportError as error:
                # Nothing was sent if the connection could not be made, so that repeating is always safe then.
                unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
                delay = self._retries.delay(attempt, error, waited) if safe or unsent else None
                if delay is None:
                    raise _network_error(verb, self._http.base_url, path, error) from error
            waited += delay
            await asyncio.sleep(delay)

    @asynccontextmanager
    async def stream(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None, read_timeout: float
    ) -> AsyncGenerator[httpx.Response]:
        """Begin to read a long answer. Its status is below 400. Nothing is repeated here, because the caller knows where to go on.

        Raises:
            ProblemError: the service answered with an error.
            httpx.TransportError: the connection broke.
        """
        timeout = httpx.Timeout(self.timeout, connect=min(_CONNECT_SECONDS, self.timeout), read=read_timeout)
        async with self._http.stream("GET", path, params=params, headers=headers, timeout=timeout) as response:
            if not response.is_success:
                await response.aread()
                raise _problem(response)
            yield response

    async def pause(self, attempt: int, error: Exception, waited: float) -> float:
        """Wait before a stream is resumed, and return the seconds that were waited.

        Raises:
            ProblemError: the error is not retryable, or the stream broke too often.
            NetworkError: the connection broke too often.
        """
        delay = self._retries.delay(attempt, error, waited)
        if delay is None:
            if isinstance(error, httpx.TransportError):
                raise NetworkError(f"A stream of {self._http.base_url} broke {attempt} times: {_words(error)}") from error
            raise error
        await asyncio.sleep(delay)
        return delay


def _problem(response: httpx.Response) -> ProblemError:
    asked = f"{response.request.method} {response.request.url.path}"
    return problem_of_answer(response.status_code, response.content, retry_after_seconds(response.headers.get("Retry-After")), asked)


def _network_error(verb: str, base: httpx.URL, path: str, error: httpx.TransportError) -> NetworkError:
    return NetworkError(f"The service at {base} does not answer {verb} {path}: {_words(error)}")


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
