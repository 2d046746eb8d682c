"""Run all of convscope on one machine: start Redis, the workers and the service in this order, and end them in reverse."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from cli.failure import CommandFailed
from cli.interrupts import Interrupts
from cli.kept_redis import KeptRedis
from cli.listening import port_of
from processes.child_process import ChildProcess
from processes.embedded_redis import AppendFsync
from schemas.health import Readiness

_KILL_MARGIN_SECONDS = 10.0  # a process that still runs so long after its own drain time is killed


@dataclass(frozen=True)
class DrainSeconds:
    """The seconds that the service and the workers give themselves to finish after SIGTERM."""

    service: float
    workers: float


class Stack:
    """A running convscope: everything is started when the `with` block begins and ended when it ends.

    The embedded Redis is started again if it dies while the stack is watched.

    Args:
        listener: the socket on which the service listens.
        data_dir: the folder that holds uploads, artifacts and the embedded Redis's files.
        drains: the drain times of the service and the workers.
        auth: whether callers need a key, `off` or `required`.
        key_for: is called with the URL of Redis before the service starts, and returns the key for `get`, or None if it needs none.
        redis_url: the Redis to use. If it is None, a Redis is started that uses `data_dir`.
        appendfsync: how often the embedded Redis writes to the disk, see `EmbeddedRedis.start`.
        max_memory: the number of bytes above which the embedded Redis refuses writes; 0 means no limit.
        log_dir: the folder for the logs of the service and of the workers, one file for each. If it is None, they log to the
            stderr of this process.
    """

    def __init__(
        self,
        listener: socket.socket,
        data_dir: Path,
        drains: DrainSeconds,
        *,
        auth: str = "off",
        key_for: Callable[[str], str | None] = lambda _: None,
        redis_url: str | None = None,
        appendfsync: AppendFsync = "everysec",
        max_memory: int = 0,
        log_dir: Path | None = None,
    ) -> None:
        self._listener = listener
        self._data_dir = data_dir.resolve()
        self._drains = drains
        self._auth, self._key_for = auth, key_for
        self._key: str | None = None
        self._redis_url = redis_url
        self._appendfsync: AppendFsync = appendfsync
        self._max_memory = max_memory
        self._log_dir = log_dir
        self._host, self._port = str(listener.getsockname()[0]), port_of(listener)
        self.interrupts = Interrupts()
        self._redis: KeptRedis | None = None
        self._processes: list[ChildProcess] = []
        self._ending = ExitStack()

    @property
    def url(self) -> str:
        return f"http://[{self._host}]:{self._port}" if ":" in self._host else f"http://{self._host}:{self._port}"

    def __enter__(self) -> Stack:
        with ExitStack() as ending:
            ending.enter_context(self.interrupts)
            redis_url = self._redis_url or self._own_redis(ending)
            self._key = self._key_for(redis_url)
            own = {"CONVSCOPE_REDIS_URL": redis_url, "CONVSCOPE_DATA_DIR": str(self._data_dir), "CONVSCOPE_AUTH": self._auth}
            environment = {**os.environ, **own}
            worker = ChildProcess("worker", convscope_command("worker"), environment=environment, log=self._log("worker"))
            self._own(ending, worker, self._drains.workers)
            descriptor = self._listener.fileno()
            command = convscope_command("api", "--fd", str(descriptor))
            service = ChildProcess("api", command, environment=environment, log=self._log("api"), pass_fds=[descriptor])
            self._own(ending, service, self._drains.service)
            self._listener.close()
            self._ending = ending.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.__exit__(kind, error, trace)

    def _own_redis(self, ending: ExitStack) -> str:
        self._redis = KeptRedis(self._data_dir, appendfsync=self._appendfsync, max_memory=self._max_memory)
        ending.callback(self._redis.stop)
        return self._redis.url

    def _own(self, ending: ExitStack, process: ChildProcess, drain: float) -> None:
        ending.callback(process.stop, drain + _KILL_MARGIN_SECONDS, self.interrupts.hurry)
        self._processes.append(process)

    def _log(self, name: str) -> Path | None:
        return self._log_dir / f"{name}.log" if self._log_dir else None

    def wait_ready(self, seconds: float, also: Callable[[], bool] = lambda: True) -> bool:
        """Wait until the service answers, a worker has reported and then `also()` is true. Return False if a signal interrupts the wait.

        Raises:
            CommandFailed: the service or the workers ended by themselves, Redis died too often, or `seconds` passed.
        """
        deadline = time.monotonic() + seconds
        while not self.interrupts.count:
            self._check()
            readiness = self._readiness()
            if readiness and readiness.status == "ready" and also():
                return True
            if time.monotonic() > deadline:
                state = f"it answers {readiness.model_dump_json()}" if readiness else "it does not answer"
                raise CommandFailed(f"The service is not ready after {seconds:.0f} s: {state}.")
            time.sleep(0.1)
        return False

    def watch(self) -> None:
        """Return when a signal interrupts. If the embedded Redis dies, it is started again.

        Raises:
            CommandFailed: the service or the workers ended by themselves, or Redis died too often.
        """
        while not self.interrupts.count:
            self._check()
            time.sleep(0.2)

    def _check(self) -> None:
        if self._redis:
            self._redis.check()
        for process in self._processes:
            if how := process.how_it_ended():
                log = self._log(process.name)
                raise CommandFailed(f"The {process.name} process ended by itself ({how})." + (f" Its log is {log}." if log else ""))

    def get(self, path: str, seconds: float = 60.0) -> tuple[int, bytes] | None:
        """Return the status and the body of the service's answer to `GET path`, or None if it does not answer within `seconds`."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        try:
            connection.request("GET", path, headers={} if self._key is None else {"X-API-Key": self._key})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _readiness(self) -> Readiness | None:
        answer = self.get("/readyz", 2.0)
        try:
            return Readiness.model_validate_json(answer[1]) if answer else None
        except ValidationError:
            return None


def convscope_command(*arguments: str) -> list[str]:
    """Return the command line of `convscope` in this Python environment."""
    return [sys.executable, "-P", "-m", "cli.main", *arguments]
