"""Give back the executions of dead worker processes, from the supervisor."""

from __future__ import annotations

import asyncio
import threading
import time

from jobstore.connection import Connection
from jobstore.workers import WorkerRegistry
from schemas.errors import StorageFull
from telemetry.logs import get_logger
from workers.execution.retry import retry_until_available
from workers.settings import WorkerSettings
from workers.supervision.crash_record import DeadWorker


class DeadWorkers:
    """Gives back what dead workers held, each on a thread of its own, so that the supervisor never waits for Redis.

    If Redis is away for a whole lease, other workers take the executions over after it, and the attempt counts for all of them.

    Args:
        redis_url: the address of Redis.
        settings: the workers' settings.
    """

    def __init__(self, redis_url: str, settings: WorkerSettings) -> None:
        self._redis_url, self._settings = redis_url, settings
        self._threads: list[threading.Thread] = []
        self._log = get_logger(__name__)

    def give_back(self, dead: DeadWorker) -> None:
        """Begin to give back what the worker held, and return at once."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=lambda: asyncio.run(self._release(dead)), name="give-back", daemon=True)
        thread.start()
        self._threads.append(thread)

    def close(self, seconds: float = 5.0) -> None:
        """Let what has begun end, for at most `seconds`."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    async def _release(self, dead: DeadWorker) -> None:
        connection = Connection.open(self._redis_url, self._settings)
        try:
            async with asyncio.timeout(self._settings.lease):
                registry = WorkerRegistry(connection)
                held = await retry_until_available(lambda: registry.release_held(dead.worker, dead.at_work), StorageFull)
        except TimeoutError:
            self._log.warning("a dead worker's executions stay claimed until their leases expire", worker=dead.worker)
        else:
            self._log.info("a dead worker's executions were given back", worker=dead.worker, charged=held.charged, spared=held.spared)
        finally:
            await connection.close()
