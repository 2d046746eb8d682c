"""Read and drop the rest of a request's body, so that a caller who is still sending can read the answer.

An answer may be known before the body has been read: the body is too large, the address does not exist. If a server closes a connection
while bytes lie unread in it, TCP resets the connection. A client that first sends all of its body, as `urllib.request` does, then sees
the reset and not the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.request_context import declared_length

_SHORT = 64 * 1024  # bytes; a body that is not longer is read before the answer, so that the connection can be used again
_SILENCE = 2.0  # seconds without a byte after which a caller is taken to have stopped sending


class UnreadBodyMiddleware:
    """Sends the whole answer at once, but ends the exchange only when the rest of the request's body has been read.

    The server closes the connection after the answer, unless the body was read before the answer began.

    Args:
        app: the application.
        max_bytes: returns how many bytes of the body of a request are read and dropped at most. It is called after the answer.
        seconds: bytes are read and dropped for at most so long.
    """

    def __init__(self, app: ASGIApp, max_bytes: Callable[[Scope], int], seconds: float) -> None:
        self._app, self._max_bytes, self._seconds = app, max_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if not _declares_body(headers):
            await self._app(scope, receive, send)
            return
        body = _RequestBody(receive)
        last: Message | None = None

        async def send_all_but_the_end(message: Message) -> None:
            nonlocal last
            if message["type"] == "http.response.start" and not body.ended:
                if _is_short(headers):
                    await body.drop(_SHORT, self._seconds)
                if not body.ended:
                    MutableHeaders(scope=message)["Connection"] = "close"
            elif message["type"] == "http.response.body" and not message.get("more_body", False) and not body.ended:
                last = {"type": "http.response.body", "body": b"", "more_body": False}
                message = {**message, "more_body": True}
            await send(message)

        await self._app(scope, body.receive, send_all_but_the_end)
        if last is not None:
            await body.drop(self._max_bytes(scope), self._seconds)
            await send(last)


class _RequestBody:
    """The body of a request. `ended` is true when all of it has been received, or when the caller has left."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self.ended = receive, False

    async def receive(self) -> Message:
        message = await self._receive()
        self.ended = self.ended or not _more_body(message)
        return message

    async def drop(self, max_bytes: int, seconds: float) -> None:
        """Receive the rest and forget it. Stop after `max_bytes`, after `seconds`, or when the caller sends nothing more."""
        dropped = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.ended and dropped < max_bytes:
                    async with asyncio.timeout(_SILENCE):
                        dropped += len((await self.receive()).get("body", b""))


def _more_body(message: MutableMapping[str, object]) -> bool:
    return message["type"] == "http.request" and bool(message.get("more_body", False))


def _declares_body(headers: Headers) -> bool:
    return declared_length(headers) not in (None, 0) or "transfer-encoding" in headers


def _is_short(headers: Headers) -> bool:
    """Return True if the body is short and on its way. A caller with `Expect: 100-continue` may wait for the answer before it sends."""
    length = declared_length(headers)
    return length is not None and length <= _SHORT and "expect" not in headers
