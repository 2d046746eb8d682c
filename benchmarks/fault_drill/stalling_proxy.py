"""Pass TCP connections on to a port, and hold back everything on them for a time, as a network does that drops packets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class StallingProxy:
    """Listens on a free loopback port while `running` is entered. Between `stall` and `resume` nothing passes in either direction."""

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self._passing = asyncio.Event()
        self._passing.set()
        self.port = 0

    def stall(self) -> None:
        self._passing.clear()

    def resume(self) -> None:
        self._passing.set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[StallingProxy]:
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                await self._passing.wait()
                writer.write(chunk)
                await writer.drain()
        writer.close()
