"""Keep the embedded Redis running: start it again on its folder and its port when it has died."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import typer

from cli.failure import CommandFailed
from processes.embedded_redis import AppendFsync, EmbeddedRedis
from processes.redis_program import EmbeddedRedisError

MOST_RESTARTS = 5
LONGEST_SOCKET_PATH = 103  # bytes; macOS allows the fewest
_WINDOW_SECONDS = 600.0


class KeptRedis:
    """An embedded Redis that is started again when it has died, so that the service and the workers only have to reconnect.

    A server that dies more than `MOST_RESTARTS` times within ten minutes has a reason that a restart does not remove, so it is given up.

    Args:
        data_dir: the folder under which the server keeps its files.
        appendfsync: how often the server writes to the disk, see `EmbeddedRedis.start`.
        max_memory: the number of bytes above which the server refuses writes; 0 means no limit.

    Raises:
        CommandFailed: the server does not start.
    """

    def __init__(self, data_dir: Path, *, appendfsync: AppendFsync, max_memory: int) -> None:
        self._data_dir, self._max_memory = data_dir, max_memory
        self._appendfsync: AppendFsync = appendfsync
        self._restarts: list[float] = []
        self._socket_folder = tempfile.TemporaryDirectory(prefix="convscope-redis-")
        try:
            self._server = self._start(None)
        except CommandFailed:
            self._socket_folder.cleanup()
            raise

    @property
    def url(self) -> str:
        return self._server.socket_url or self._server.url

    @property
    def running(self) -> bool:
        return self._server.running

    def check(self) -> None:
        """Start the server again if it has died. It keeps its address.

        Raises:
            CommandFailed: the server has died too often, or it does not start.
        """
        if self.running:
            return
        now = time.monotonic()
        self._restarts = [each for each in self._restarts if now - each < _WINDOW_SECONDS]
        if len(self._restarts) == MOST_RESTARTS:
            raise CommandFailed(
                f"Redis ended by itself {MOST_RESTARTS + 1} times within {_WINDOW_SECONDS / 60:.0f} minutes. Its log is {self._server.log}."
            )
        self._restarts.append(now)
        self._server.stop()  # the folder is locked until then
        typer.echo(f"Redis ended by itself. convscope starts it again. Its log is {self._server.log}.", err=True)
        self._server = self._start(urlsplit(self._server.url).port)

    def stop(self) -> None:
        """End the server after it has written its data. Do nothing if it has ended."""
        self._server.stop()
        self._socket_folder.cleanup()

    def _start(self, port: int | None) -> EmbeddedRedis:
        socket = Path(self._socket_folder.name) / "redis.sock"
        try:
            return EmbeddedRedis.start(
                self._data_dir,
                port=port,
                socket=socket if len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH else None,
                appendfsync=self._appendfsync,
                max_memory=self._max_memory,
            )
        except EmbeddedRedisError as error:
            raise CommandFailed(str(error)) from error
