"""Run a real `redis-server` on loopback, with its data in the data folder, for users who have no Redis of their own."""

# pyright: reportUnknownMemberType=false
# redis-py declares no types for the keyword arguments of its commands.
from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self
from urllib.parse import quote, urlsplit

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from processes.child_process import ChildProcess
from processes.ports import accepts_connections
from processes.redis_address import choose_address, impatient_client, redis_folder, remember_url, running_redis_url, write_private
from processes.redis_program import EmbeddedRedisError, find_redis_server

AppendFsync = Literal["always", "everysec"]
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.01


class EmbeddedRedis:
    """A running Redis server that belongs to this process.

    The server ends when `stop` is called, at the end of a `with` block, or (on Linux) when the thread that started it dies. Start
    it from the main thread. The folder `redis/` in the data folder holds its append-only file. A later `start` on the same data
    folder therefore has the same queue and results, and the same address if the port is still free.
    """

    def __init__(self, process: ChildProcess, url: str, socket_url: str | None, lock: IO[bytes], log: Path) -> None:
        self._process = process
        self._lock = lock
        self.url = url
        self.socket_url = socket_url
        self.log = log

    @classmethod
    def start(
        cls,
        data_dir: Path,
        *,
        port: int | None = None,
        socket: Path | None = None,
        appendfsync: AppendFsync = "everysec",
        max_memory: int = 0,
        timeout: float = 60.0,
    ) -> EmbeddedRedis:
        """Start a server and wait until it has loaded its data.

        If a server still runs on this folder but its owner has died, that server is shut down first and keeps its data.

        Args:
            data_dir: the folder under which the server keeps `redis/` and `logs/redis.log`.
            port: the loopback port to listen on. If it is None, the last port is used, or a free one if that port is taken.
            socket: the path of a Unix socket on which the server listens too, in a folder that only its owner can enter. Its
                `socket_url` names it. A command over it takes the server a tenth less time than over TCP.
            appendfsync: with `always`, no accepted write is lost even when the machine stops; with `everysec`, the writes of
                the last second can be lost.
            max_memory: the number of bytes above which the server refuses writes. 0 means that there is no limit.
            timeout: seconds that the server has for loading its data.

        Raises:
            EmbeddedRedisError: there is no server program, another convscope uses the folder, the port is taken, or the server
                does not come up in time.
        """
        program = find_redis_server()
        folder = redis_folder(data_dir)
        log = data_dir.resolve() / "logs" / "redis.log"
        folder.mkdir(parents=True, exist_ok=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder)
        try:
            orphan_url = running_redis_url(data_dir)
            if orphan_url is not None:
                _end_orphan(orphan_url, timeout)
            port, password = choose_address(folder, port)
            url = f"redis://:{password}@127.0.0.1:{port}/0"
            configuration = folder / "redis.conf"
            settings = _settings(folder, log, port, password, socket)
            settings |= {"appendfsync": appendfsync, "maxmemory": max_memory}
            write_private(configuration, "".join(f'{name} "{value}"\n' for name, value in settings.items()))
            process = ChildProcess("redis-server", [str(program), str(configuration)], log=Path(os.devnull))
            try:
                _wait_until_ready(process, url, log, timeout)
            except BaseException:
                process.kill()
                raise
            remember_url(folder, url)
        except BaseException:
            lock.close()
            raise
        return cls(process, url, socket and f"unix://:{password}@{quote(str(socket))}", lock, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.running

    def stop(self) -> None:
        """End the server after it has written its data. Do nothing if it has ended."""
        self._process.stop(_STOP_SECONDS)
        self._lock.close()

    def kill(self) -> None:
        """End the server with SIGKILL, as a crash would."""
        self._process.kill()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _lock(folder: Path) -> IO[bytes]:
    lock = (folder / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise EmbeddedRedisError(
            f"Another convscope runs its Redis in {folder}. Stop that one, set another CONVSCOPE_DATA_DIR, or share its Redis "
            "through CONVSCOPE_REDIS_URL."
        ) from None
    return lock


def _end_orphan(url: str, timeout: float) -> None:
    with impatient_client(url) as redis, suppress(RedisConnectionError, RedisTimeoutError):  # a shutdown closes the connection
        redis.shutdown(nosave=True)  # this writes no RDB file, but the append-only file is complete
    port = urlsplit(url).port
    deadline = time.monotonic() + timeout
    while port is not None and accepts_connections(port):
        if time.monotonic() > deadline:
            raise EmbeddedRedisError(f"A Redis that an earlier run left behind did not end within {timeout:.0f} s.")
        time.sleep(_POLL_SECONDS)


def _settings(folder: Path, log: Path, port: int, password: str, socket: Path | None) -> dict[str, object]:
    return {
        "bind": "127.0.0.1",
        "port": port,
        "requirepass": password,
        "dir": folder,
        "logfile": log,
        "daemonize": "no",
        "save": "",
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
        # Redis looks through a node of a stream to find an entry. The default of 100 entries makes removing one twice as slow.
        "stream-node-max-entries": 24,
        **({"unixsocket": socket, "unixsocketperm": "700"} if socket else {}),
    }


def _wait_until_ready(process: ChildProcess, url: str, log: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    with impatient_client(url) as redis:
        while True:
            try:
                redis.ping()
            except (RedisConnectionError, RedisTimeoutError) as error:  # BusyLoadingError, while it loads, is a connection error
                if how := process.how_it_ended():
                    raise EmbeddedRedisError(f"redis-server ended ({how}). The end of its log: {_last_lines(log)}") from error
                if time.monotonic() > deadline:
                    raise EmbeddedRedisError(
                        f"redis-server was not ready within {timeout:.0f} s. The end of its log: {_last_lines(log)}"
                    ) from error
                time.sleep(_POLL_SECONDS)
            else:
                return


def _last_lines(log: Path) -> str:
    try:
        return " / ".join(log.read_text("utf-8", errors="replace").splitlines()[-4:])
    except FileNotFoundError:
        return "no log was written"
