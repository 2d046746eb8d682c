"""uvicorn's HTTP protocol with limits on the time that a client may take to send a request's header and to read its answer.

uvicorn itself bounds only the pause between two requests of one connection. A client that opens connections and sends half a header, or
that never reads, would hold each of them for ever. The number of open connections is bounded, too.

Bytes that are not HTTP are answered, and what the client still sends is read and dropped until it has read the answer. If the connection
were closed while bytes lie unread in it, TCP would reset it, and the client could lose the answer (RFC 9112, section 9.6).
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, ClassVar

import h11
import structlog
from ulid import ULID
from uvicorn.protocols.http.h11_impl import H11Protocol

from schemas.access_errors import MalformedRequest
from service.echo import echo
from service.problems import problem_response
from service.request_context import REQUEST_ID
from service.security_headers import SECURITY_HEADERS

_MOST_DROPPED = 64 * 1024**2  # bytes that are read and dropped after the last answer of a connection

_log = structlog.get_logger(__name__)


class BoundedProtocol(H11Protocol):
    """The protocol of one connection. See `bounded_protocol` about its limits."""

    header_seconds: ClassVar[float]
    reading_seconds: ClassVar[float]
    most_connections: ClassVar[int]
    waiting: ClassVar[dict[BoundedProtocol, None]]  # connections that no request is open on, in the order in which they began to wait

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._header_timer: asyncio.TimerHandle | None = None
        self._reading_timer: asyncio.TimerHandle | None = None
        self._closing_timer: asyncio.TimerHandle | None = None
        self._dropped: int | None = None  # bytes that were dropped since the last answer was written; None before

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as uvicorn does
        super().connection_made(transport)
        self._watch_header()
        if len(self.connections) > self.most_connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._dropped is not None:
            self._dropped += len(data)
            if self._dropped > _MOST_DROPPED:
                self.transport.abort()
            return
        super().data_received(data)
        self._watch_header()

    def connection_lost(self, exc: Exception | None) -> None:
        self._header_timer = _ended(self._header_timer)
        self._reading_timer = _ended(self._reading_timer)
        self._closing_timer = _ended(self._closing_timer)
        self.waiting.pop(self, None)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.waiting.setdefault(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading_timer = self.loop.call_later(self.reading_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._reading_timer = _ended(self._reading_timer)
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._abort_unless_read()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP with a problem, and close the connection. uvicorn calls this where it handles the error of h11.

        If the answer to the request has begun, nothing can be said any more. The route learns that no more of the body will come.
        """
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._answer_malformed_request(sys.exception() or msg)
        if self.cycle and not self.cycle.response_complete:  # uvicorn has None there before the first request
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._close_when_read()

    def _answer_malformed_request(self, reason: object) -> None:
        request_id, detail = str(ULID()), f"This is not an HTTP/1.1 request: {echo(str(reason))}."
        _log.info("malformed_request", request_id=request_id, reason=detail)
        answer = problem_response(MalformedRequest(detail), request_id, {**SECURITY_HEADERS, REQUEST_ID: request_id, "Connection": "close"})
        response = h11.Response(status_code=answer.status_code, headers=answer.raw_headers, reason=b"Bad Request")
        for event in (response, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")

    def _watch_header(self) -> None:
        """Run the timer while a header is expected. More bytes of the same header do not start it again."""
        if self._dropped is not None:
            self._header_timer = _ended(self._header_timer)
        elif self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._header_timer = _ended(self._header_timer)
            self.waiting.pop(self, None)
        elif self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_seconds, self._close)
            self.waiting.setdefault(self)

    def _make_room(self) -> None:
        """Close the connection that has waited longest for a request. It is this one if a request is open on all others."""
        oldest = next(iter(self.waiting))
        del self.waiting[oldest]
        oldest.transport.abort()

    def _close(self) -> None:
        self.transport.close()
        self._abort_unless_read()

    def _close_when_read(self) -> None:
        """Say that nothing more will be written, and read on until the client closes the connection, too.

        No request can come over it any more, so it gives way to a new connection as one does that waits for a request.
        """
        self._dropped = 0
        self.waiting.setdefault(self)
        self.transport.write_eof()
        self.flow.resume_reading()
        self._closing_timer = self.loop.call_later(self.reading_seconds, self.transport.abort)

    def _abort_unless_read(self) -> None:
        """Give a client the time to read what is left, and then forget it."""
        self._reading_timer = _ended(self._reading_timer)
        self._reading_timer = self.loop.call_later(self.reading_seconds, self.transport.abort)


def bounded_protocol(header_seconds: float, reading_seconds: float, most_connections: int) -> type[BoundedProtocol]:
    """Return the protocol class for `uvicorn.Config`.

    Args:
        header_seconds: the header of a request must have arrived so many seconds after the connection was opened, or after its first
            byte if it is not the first request. Otherwise the connection is closed.
        reading_seconds: a client that reads nothing of its answer for so long, while the server has more to send, is cut off.
        most_connections: so many connections may be open. For each further one, the one that has waited longest for a request is closed.
    """
    limits = {"header_seconds": header_seconds, "reading_seconds": reading_seconds, "most_connections": most_connections}
    return type("LimitedProtocol", (BoundedProtocol,), {**limits, "waiting": {}})


def _ended(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
