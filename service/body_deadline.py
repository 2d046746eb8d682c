"""Bound the time that a caller may take to send the body of a request."""

from __future__ import annotations

import asyncio
import time

from starlette.types import Message, Receive

from schemas.access_errors import RequestTimeout

_SLOWEST = 16 * 1024  # bytes a second; a body that comes faster is never too late


class BodyDeadline:
    """Receives a body that must come within `seconds`, and within one second more for every 16 KiB that have come.

    Only the time in which the service waits for the caller counts.
    """

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive, self._seconds = receive, seconds
        self._ended = False
        self._waited, self._bytes = 0.0, 0

    async def receive(self) -> Message:
        """Return the next message.

        Raises:
            RequestTimeout: the body is too late.
        """
        if self._ended:
            return await self._receive()
        left = self._seconds + self._bytes / _SLOWEST - self._waited
        started = time.monotonic()
        try:
            async with asyncio.timeout(left):
                message = await self._receive()
        except TimeoutError:
            raise RequestTimeout(
                f"The body of the request did not come in time: {self._bytes:,} bytes in {self._waited + left:.0f} s. "
                f"It must come within {self._seconds:g} s, and 1 s more for every {_SLOWEST:,} bytes."
            ) from None
        finally:
            self._waited += time.monotonic() - started  # also if the wait is given up and begun again, as RevocationMiddleware does
        self._bytes += len(message.get("body", b""))
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message
