"""The headers that tell browsers what they may do with an answer. Every answer has them."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# An answer may set its own value: a document that shows user text, and the page /docs, which loads a script.
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # an address may hold a signature
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeadersMiddleware:
    """Adds the headers to answers that do not set their own.

    Args:
        app: the application.
        other_origins: true if pages of other origins may show pictures of this service.
    """

    def __init__(self, app: ASGIApp, *, other_origins: bool) -> None:
        self._app = app
        self._headers = {**SECURITY_HEADERS, "Cross-Origin-Resource-Policy": "cross-origin" if other_origins else "same-origin"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
