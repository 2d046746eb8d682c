"""All of convscope on one machine: Redis, the service and the workers, started in order and ended in reverse."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal

from pydantic import ValidationError

from cli.failure import CommandFailed
from cli.interrupts import Interrupts
from cli.listening import port_of
from processes.child import Part
from processes.embedded_redis import EmbeddedRedis
from processes.redis_program import EmbeddedRedisError
from schemas.health import Readiness

_MARGIN = 10.0  # seconds beyond a part's own drain, after which it is killed


@dataclass(frozen=True)
class Drains:
    """Seconds that the service and the workers give themselves to finish after SIGTERM."""

    service: float
    workers: float


class Stack:
    """Redis of its own unless `redis_url` is given; everything started is ended when the `with` block ends.

    `log_dir` collects what the service and the workers log, in a file each; without it they share our stderr.
    """

    def __init__(
        self,
        listener: socket.socket,
        data_dir: Path,
        drains: Drains,
        *,
        redis_url: str | None = None,
        appendfsync: Literal["always", "everysec"] = "everysec",
        max_memory: int = 0,
        log_dir: Path | None = None,
    ) -> None:
        self._listener = listener
        self._data_dir = data_dir.resolve()
        self._drains = drains
        self._redis_url = redis_url
        self._start_redis = partial(EmbeddedRedis.start, self._data_dir, appendfsync=appendfsync, max_memory=max_memory)
        self._log_dir = log_dir
        self._host, self._port = str(listener.getsockname()[0]), port_of(listener)
        self.interrupts = Interrupts()
        self._redis: EmbeddedRedis | None = None
        self._parts: list[Part] = []
        self._ending = ExitStack()

    @property
    def url(self) -> str:
        return f"http://[{self._host}]:{self._port}" if ":" in self._host else f"http://{self._host}:{self._port}"

    def __enter__(self) -> Stack:
        with ExitStack() as ending:
            ending.enter_context(self.interrupts)
            redis_url = self._redis_url
            if redis_url is None:
                try:
                    self._redis = self._start_redis()
                except EmbeddedRedisError as error:
                    raise CommandFailed(str(error)) from error
                ending.callback(self._redis.stop)
                redis_url = self._redis.url
            environment = {**os.environ, "CONVSCOPE_REDIS_URL": redis_url, "CONVSCOPE_DATA_DIR": str(self._data_dir)}
            self._start(ending, Part("worker", convscope("worker"), environment=environment, log=self._log("worker")), self._drains.workers)
            descriptor = self._listener.fileno()
            command = convscope("api", "--fd", str(descriptor))
            service = Part("api", command, environment=environment, log=self._log("api"), pass_fds=[descriptor])
            self._start(ending, service, self._drains.service)
            self._listener.close()
            self._ending = ending.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.__exit__(kind, error, trace)

    def _start(self, ending: ExitStack, part: Part, drain: float) -> None:
        ending.callback(part.stop, drain + _MARGIN, self.interrupts.hurry)
        self._parts.append(part)

    def _log(self, name: str) -> Path | None:
        return self._log_dir / f"{name}.log" if self._log_dir else None

    def wait_ready(self, seconds: float) -> bool:
        """Waits until the service answers and a worker has reported; False when interrupted meanwhile.

        Raises:
            CommandFailed: a part ended by itself, or `seconds` passed.
        """
        deadline = time.monotonic() + seconds
        while not self.interrupts.count:
            self._check()
            readiness = self._readiness()
            if readiness and readiness.status == "ready" and readiness.workers:
                return True
            if time.monotonic() > deadline:
                state = readiness.model_dump_json() if readiness else "the service does not answer"
                raise CommandFailed(f"not ready after {seconds:.0f} s: {state}")
            time.sleep(0.1)
        return False

    def watch(self) -> None:
        """Returns when interrupted.

        Raises:
            CommandFailed: a part ended by itself.
        """
        while not self.interrupts.count:
            self._check()
            time.sleep(0.2)

    def _check(self) -> None:
        if self._redis and not self._redis.alive:
            raise CommandFailed(f"Redis ended by itself; its last words are in {self._redis.log}")
        for part in self._parts:
            if how := part.ended():
                log = self._log(part.name)
                raise CommandFailed(f"the {part.name} process ended by itself: {how}" + (f"; its last words are in {log}" if log else ""))

    def _readiness(self) -> Readiness | None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return Readiness.model_validate_json(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValidationError):
            return None
        finally:
            connection.close()


def convscope(*arguments: str) -> list[str]:
    """A `convscope` command in this environment, which ends when we do."""
    return [sys.executable, "-P", "-m", "cli.main", *arguments, "--parent", str(os.getpid())]
