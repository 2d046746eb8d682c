"""End a request that lasts when its key is revoked: an event stream, or a wait for a job."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.access_errors import invalid_key
from schemas.errors import BrokerUnavailable
from service.auth import identity_of
from service.key_ring import KeyRing
from service.problems import problem_response
from service.request_context import request_id_of

CHECK_SECONDS = 2.0


class RevocationMiddleware:
    """Looks at the key again every two seconds while a request waits. If the key is no longer valid, the application is told that the
    caller has left, as if the connection had ended, and the caller's answer ends."""

    def __init__(self, app: ASGIApp, key_ring: KeyRing) -> None:
        self._app, self._key_ring = app, key_ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = ended = revoked = False

        async def receive_while_valid() -> Message:
            nonlocal revoked
            while not revoked:
                try:
                    async with asyncio.timeout(CHECK_SECONDS):
                        return await receive()
                except TimeoutError:
                    revoked = await self._is_revoked(scope)
            return {"type": "http.disconnect"}

        async def send_while_valid(message: Message) -> None:
            nonlocal started, ended
            if revoked:
                return
            started = started or message["type"] == "http.response.start"
            ended = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        await self._app(scope, receive_while_valid, send_while_valid)
        if revoked and not started:
            await problem_response(invalid_key("This API key has just been revoked."), request_id_of(scope))(scope, receive, send)
        elif revoked and not ended:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _is_revoked(self, scope: Scope) -> bool:
        identity = identity_of(scope)
        if identity is None or identity.key_id is None:
            return False
        try:
            return await self._key_ring.holder(identity.key_id) is None
        except BrokerUnavailable:
            return False  # it is looked at again in two seconds
