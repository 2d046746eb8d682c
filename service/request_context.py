"""The middleware around every request. It gives the request an id, logs and counts it, bounds its bytes, and always answers."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from ulid import ULID

from schemas.errors import BodyTooLarge, InternalError, VisualizationError
from service.body_deadline import BodyDeadline
from service.head_requests import asked_method
from service.metrics import Metrics
from service.one_line_address import route_name
from service.open_requests import OpenRequests
from service.problems import problem_response

REQUEST_ID = "X-Request-ID"
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
CLIENT_CLOSED = 499  # nginx's status for a caller that did not wait for the answer
_VERBS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_PIECE = 256 * 1024  # bytes
_LOGGED_FOR_DEBUG = {"/livez", "/readyz", "/metrics"}

_log = structlog.get_logger(__name__)


def request_id_of(scope: Scope) -> str:
    """Return the id that the middleware gave the request."""
    return str(scope["state"]["request_id"])


def answer_headers(scope: Scope) -> dict[str, str]:
    """Return the headers that the middleware adds to the answer, whatever the answer is. The caller may add some."""
    headers: dict[str, str] = scope["state"].setdefault("answer_headers", {})
    return headers


def declared_length(headers: Headers) -> int | None:
    """Return the length of the body in bytes, as the request states it; None if it does not, as for a chunked body."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def body_too_large(max_bytes: int, got: int | None = None) -> BodyTooLarge:
    """Return the error for a body of `got` bytes; None if only the limit was noticed."""
    more = f"got {got:,}" if got is not None else "got more"
    return BodyTooLarge(
        f"A request body has at most {max_bytes:,} bytes; {more}.",
        allowed=f"at most {max_bytes} bytes",
        got=f"{got} bytes" if got is not None else None,
    )


class RequestContextMiddleware:
    """The middleware. It is plain ASGI, because under `BaseHTTPMiddleware` a route does not notice that its caller has left."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        open_requests: OpenRequests,
        body_limit: Callable[[str, str], int],
        body_seconds: float,
    ) -> None:
        """Wrap `app`. `body_limit` returns how many bytes the body of a request with this method and path may have."""
        self._app, self._metrics, self._open = app, metrics, open_requests
        self._body_limit, self._body_seconds = body_limit, body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID, "")
        request_id = given if _SAFE_REQUEST_ID.fullmatch(given) else str(ULID())
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _TrackedAnswer(send, request_id, answer_headers(scope))
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id), self._open.entered(scope):
            try:
                declared = declared_length(headers)
                limit = self._body_limit(scope["method"], scope["path"])
                if declared is not None and declared > limit:
                    await answer.problem(body_too_large(limit, declared), scope, receive)
                else:
                    await self._app(scope, BodyDeadline(receive, self._body_seconds).receive, answer.send)
            except VisualizationError as error:
                if answer.status:
                    raise
                await answer.problem(error, scope, receive)
            except ClientDisconnect:
                answer.status = answer.status or CLIENT_CLOSED
            except Exception:
                _log.exception("request_failed", path=scope["path"])
                if answer.status:
                    raise
                await answer.problem(
                    InternalError("The service failed unexpectedly. Its log has the reason under this request id."), scope, receive
                )
            finally:
                self._report(scope, answer.status or CLIENT_CLOSED, time.perf_counter() - started)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        path = route_name(scope)
        method = asked_method(scope)
        self._metrics.count_answer(path, method if method in _VERBS else "other", status, seconds)
        log = _log.debug if path in _LOGGED_FOR_DEBUG else _log.info
        log("request", method=method, path=scope["path"], route=path, status=status, ms=round(seconds * 1000, 1))


class _TrackedAnswer:
    """Sends the answer with the request's id and other headers. `status` is 0 until the answer has begun."""

    def __init__(self, send: Send, request_id: str, headers: Mapping[str, str]) -> None:
        self._send, self._request_id, self._headers, self.status = send, request_id, headers, 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            MutableHeaders(scope=message).update({REQUEST_ID: self._request_id, **self._headers})
        # The server copies what the socket does not take at once, so megabytes are sent a piece at a time.
        body, sent = message.get("body", b""), 0
        while len(body) - sent > _PIECE:
            await self._send({"type": "http.response.body", "body": body[sent : sent + _PIECE], "more_body": True})
            await asyncio.sleep(0)
            sent += _PIECE
        await self._send({**message, "body": body[sent:]} if sent else message)

    async def problem(self, error: VisualizationError, scope: Scope, receive: Receive) -> None:
        await problem_response(error, self._request_id)(scope, receive, self.send)
