"""A convscope with any number of worker processes, for the time of a measurement."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cli.listening import listen
from cli.stack import DrainSeconds, Stack, convscope_command
from processes.child_process import ChildProcess
from processes.embedded_redis import EmbeddedRedis

_READY_SECONDS = 300.0
_DRAINS = DrainSeconds(service=5.0, workers=10.0)


@contextmanager
def site(workers: int, settings: Mapping[str, str] | None = None) -> Generator[str]:
    """Run a service and `workers` worker processes with one Redis, and yield the address of the service.

    Args:
        workers: the number of worker processes. Each may use all cores.
        settings: settings by the names of their environment variables, for all of them.

    Raises:
        SystemExit: it is not ready in time.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="convscope-load-")))
        redis = stack.enter_context(EmbeddedRedis.start(folder / "redis"))
        before = dict(os.environ)
        stack.callback(_restore, before)
        os.environ.update(settings or {})
        listener = listen("127.0.0.1", 0, beyond_loopback=False)
        running = stack.enter_context(Stack(listener, folder, _DRAINS, redis_url=redis.url, log_dir=folder))
        own = {**os.environ, "CONVSCOPE_REDIS_URL": redis.url, "CONVSCOPE_DATA_DIR": str(folder)}
        for number in range(1, workers):
            command = convscope_command("worker")
            worker = ChildProcess(f"worker {number}", command, environment=own, log=folder / f"worker_{number}.log")
            stack.callback(worker.stop, _DRAINS.workers)
        if not running.wait_ready(_READY_SECONDS):
            raise SystemExit("The measurement was interrupted.")
        yield running.url


def _restore(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
