"""Refuse requests that were meant for another host.

A page of any site can let its own name lead to 127.0.0.1 (DNS rebinding). The browser then takes a service on loopback for a part of that
site, and the page can read all of its answers. Such a request still names the site in the header `Host`.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.access_errors import HostNotAllowed
from service.echo import echo
from service.problems import problem_response
from service.request_context import request_id_of

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
ANY_HOST = "*"


class AllowedHostsMiddleware:
    """Answers requests for other hosts with 421, before any route looks at them. A request has its id by then.

    Starlette's own `TrustedHostMiddleware` takes no IPv6 address and answers with plain text.

    Args:
        app: the application.
        hosts: the names that the header `Host` may have, without a port.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or ANY_HOST in self._hosts:
            await self._app(scope, receive, send)
            return
        named = Headers(scope=scope).get("host", "")
        if _without_port(named) in self._hosts:
            await self._app(scope, receive, send)
            return
        error = HostNotAllowed(
            f"This service is not the host {echo(named) or '(none)'}. The operator can allow it with CONVSCOPE_ALLOWED_HOSTS.",
            got=echo(named),
        )
        await problem_response(error, request_id_of(scope))(scope, receive, send)


def _without_port(named: str) -> str:
    """Return the host of a `Host` header in lower case, without its port and without the brackets of an IPv6 address."""
    if named.startswith("["):
        inside, bracket, _ = named[1:].partition("]")
        return inside.lower() if bracket else ""
    return named.partition(":")[0].lower().removesuffix(".")
