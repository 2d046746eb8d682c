"""uvicorn's HTTP protocol with limits on the time that a client may take to send a request's header and to read its answer.

uvicorn itself bounds only the pause between two requests of one connection. A client that opens connections and sends half a header, or
that never reads, would hold each of them for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from service.security_headers import SECURITY_HEADERS


class BoundedProtocol(H11Protocol):
    """The protocol of one connection. See `bounded_protocol` about its limits."""

    header_seconds: ClassVar[float]
    reading_seconds: ClassVar[float]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._header_timer: asyncio.TimerHandle | None = None
        self._reading_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as uvicorn does
        super().connection_made(transport)
        self._watch_header()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_header()

    def connection_lost(self, exc: Exception | None) -> None:
        self._header_timer = _ended(self._header_timer)
        self._reading_timer = _ended(self._reading_timer)
        super().connection_lost(exc)

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
        """Answer what is not HTTP, with the headers that every other answer has."""
        headers = {"Content-Type": "text/plain; charset=utf-8", "Connection": "close", **SECURITY_HEADERS}
        response = h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")
        for event in (response, h11.Data(data=msg.encode("ascii")), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self._abort_unless_read()

    def _watch_header(self) -> None:
        """Run the timer while a header is expected. More bytes of the same header do not start it again."""
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._header_timer = _ended(self._header_timer)
        elif self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_seconds, self._close)

    def _close(self) -> None:
        self.transport.close()
        self._abort_unless_read()

    def _abort_unless_read(self) -> None:
        """Give a client the time to read what is left, and then forget it."""
        self._reading_timer = _ended(self._reading_timer)
        self._reading_timer = self.loop.call_later(self.reading_seconds, self.transport.abort)


def bounded_protocol(header_seconds: float, reading_seconds: float) -> type[BoundedProtocol]:
    """Return the protocol class for `uvicorn.Config`.

    Args:
        header_seconds: the header of a request must have arrived so many seconds after the connection was opened, or after its first
            byte if it is not the first request. Otherwise the connection is closed.
        reading_seconds: a client that reads nothing of its answer for so long, while the server has more to send, is cut off.
    """
    return type("LimitedProtocol", (BoundedProtocol,), {"header_seconds": header_seconds, "reading_seconds": reading_seconds})


def _ended(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
