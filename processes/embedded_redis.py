"""A `redis-server` of our own: a real one, on loopback, its data kept in the data folder."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# redis-py leaves its **kwargs without types.
from __future__ import annotations

import ctypes
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from processes.redis_program import EmbeddedRedisError, find_server

_ADDRESS_FILE = "address"
_PR_SET_PDEATHSIG = 1


class EmbeddedRedis:
    """A running server. Ends with `stop`, at the end of a `with` block, or when the process that started it dies.

    The folder `redis/` under `data_dir` holds its append-only file, so a later `start` there has the queue and the results
    again, on the same port and with the same password where the port is still free. On Linux the kernel ends the server with the
    *thread* that started it: start it from the main thread.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str, lock: IO[bytes], log: Path) -> None:
        self._process = process
        self._lock = lock
        self.url = url
        self.log = log

    @classmethod
    def start(
        cls,
        data_dir: Path,
        *,
        port: int | None = None,
        appendfsync: Literal["always", "everysec"] = "everysec",
        max_memory: int = 0,
        timeout: float = 60.0,
    ) -> EmbeddedRedis:
        """Starts a server and waits until it has loaded its data.

        A server on the same folder whose owner still lives is an error; one whose owner died (where the kernel did not end it)
        is shut down first, which writes out what it has.

        Args:
            port: None takes the port of last time, or a free one.
            appendfsync: `always` loses nothing that was accepted, even when the machine stops; `everysec` up to a second.
            max_memory: bytes above which writes are refused (noeviction); 0 for no limit.

        Raises:
            EmbeddedRedisError
        """
        program = find_server()
        folder = data_dir.resolve() / "redis"
        log = data_dir.resolve() / "logs" / "redis.log"
        folder.mkdir(parents=True, exist_ok=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder)
        try:
            last = running_url(data_dir)
            if last is not None:
                _end_orphan(last, timeout)
            port, password = _address(folder, port)
            url = f"redis://:{password}@127.0.0.1:{port}/0"
            config = {
                "bind": "127.0.0.1",
                "port": port,
                "requirepass": password,
                "dir": folder,
                "logfile": log,
                "daemonize": "no",
                "save": "",
                "appendonly": "yes",
                "appendfsync": appendfsync,
                "maxmemory": max_memory,
                "maxmemory-policy": "noeviction",
            }
            process = _spawn(program, folder, config)
            try:
                _wait_ready(process, url, log, timeout)
            except BaseException:
                process.kill()
                process.wait()
                raise
            _write_private(folder / _ADDRESS_FILE, url)
        except BaseException:
            lock.close()
            raise
        return cls(process, url, lock, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self, timeout: float = 30.0) -> None:
        """Ends the server, its data written out. Calling it again does nothing."""
        if self.alive:
            self._process.terminate()
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._lock.close()

    def kill(self) -> None:
        """Ends the server as a crash would (SIGKILL)."""
        self._process.kill()
        self._process.wait()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def running_url(data_dir: Path) -> str | None:
    """The address of the server that runs on this data folder, so that a worker started by hand finds it; None if none does."""
    folder = data_dir.resolve() / "redis"
    try:
        url = (folder / _ADDRESS_FILE).read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    with _client(url, 2.0) as redis:
        try:
            where = redis.config_get("dir")["dir"]
        except BusyLoadingError:
            return url
        except RedisError:
            return None
    return url if Path(str(where)) == folder else None


def _client(url: str, timeout: float) -> Redis:
    """One that tries once: by itself redis-py tries ten times."""
    return Redis.from_url(url, socket_timeout=timeout, retry=Retry(NoBackoff(), 0))


def _lock(folder: Path) -> IO[bytes]:
    lock = (folder / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise EmbeddedRedisError(
            f"Another convscope runs its Redis in {folder}. Stop it, or set another CONVSCOPE_DATA_DIR, or share its server "
            "with CONVSCOPE_REDIS_URL."
        ) from None
    return lock


def _end_orphan(url: str, timeout: float) -> None:
    with _client(url, timeout) as redis, suppress(RedisConnectionError, RedisTimeoutError):  # it answers by going
        redis.shutdown(nosave=True)  # no RDB; the append-only file is written out
    deadline = time.monotonic() + timeout
    while _answers(url):
        if time.monotonic() > deadline:
            raise EmbeddedRedisError(f"A Redis left over from an earlier run does not end within {timeout:.0f} s.")
        time.sleep(0.02)


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname or "127.0.0.1", parts.port or 0)) == 0


def _address(folder: Path, port: int | None) -> tuple[int, str]:
    """(port, password): those of last time where they can be had again, so that clients reconnect."""
    try:
        last = urlsplit((folder / _ADDRESS_FILE).read_text("utf-8").strip())
    except FileNotFoundError:
        last = urlsplit("")
    password = last.password or secrets.token_urlsafe(24)
    if port is None:
        port = last.port if last.port is not None and _is_free(last.port) else _free_port()
    elif not _is_free(port):
        raise EmbeddedRedisError(f"Port {port} is taken.")
    return port, password


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Redis does: a port in TIME_WAIT is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(program: Path, folder: Path, config: Mapping[str, object]) -> subprocess.Popen[bytes]:
    _write_private(folder / "redis.conf", "".join(f'{name} "{value}"\n' for name, value in config.items()))
    return subprocess.Popen(  # noqa: S603 - a server program, no shell
        [program, folder / "redis.conf"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that Ctrl-C in a terminal reaches us alone, and we stop it last
        preexec_fn=_die_with_parent() if sys.platform == "linux" else None,  # noqa: PLW1509 - calls prctl and nothing of Python's that locks
    )


def _die_with_parent() -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def set_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return set_signal


def _wait_ready(process: subprocess.Popen[bytes], url: str, log: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    with _client(url, 2.0) as redis:
        while True:
            try:
                redis.ping()
            except (RedisConnectionError, RedisTimeoutError) as error:
                if process.poll() is not None:
                    raise EmbeddedRedisError(f"redis-server ended with code {process.returncode}: {_last_lines(log)}") from error
                if time.monotonic() > deadline:
                    raise EmbeddedRedisError(f"redis-server is not ready after {timeout:.0f} s: {_last_lines(log)}") from error
                time.sleep(0.01)
            else:
                return


def _last_lines(log: Path) -> str:
    try:
        return " / ".join(log.read_text("utf-8", errors="replace").splitlines()[-4:])
    except FileNotFoundError:
        return "no log was written"


def _write_private(path: Path, text: str) -> None:
    """Writes `text`, readable by the owner alone from the first byte on, whole or not at all."""
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
