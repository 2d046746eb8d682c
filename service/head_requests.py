"""Answer HEAD wherever GET answers: with the same status and headers, and without the content."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.drain import abandon

ASKED_METHOD = "asked_method"  # the entry of the ASGI scope that holds HEAD while routes see GET


class HeadMiddleware:
    """Shows a HEAD request to the application as GET, and drops the content of the answer.

    An answer without an end, such as an event stream, ends when its headers are sent, as if the caller had left then.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        answered = asyncio.Event()

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                answered.set()

        async def receive_until_answered() -> Message:
            received, ended = asyncio.ensure_future(receive()), asyncio.ensure_future(answered.wait())
            try:
                await asyncio.wait({received, ended}, return_when=asyncio.FIRST_COMPLETED)
                return {"type": "http.disconnect"} if answered.is_set() else received.result()
            finally:
                abandon(received)
                abandon(ended)

        await self._app({**scope, "method": "GET", ASKED_METHOD: "HEAD"}, receive_until_answered, send_head)


def asked_method(scope: Scope) -> str:
    """Return the method of the request as its caller has sent it."""
    return str(scope.get(ASKED_METHOD, scope["method"]))
