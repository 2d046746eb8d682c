"""Claim executions, keep their leases alive while they run, and give them back when the worker stops.

Each execution runs as a task of its own. Leases are renewed while jobs run and while the worker drains. When Redis was away, they are
renewed before anything more is claimed. An execution that waits until its model is loaded does not count towards the jobs that a worker
may hold, so that a slow load does not stop the jobs of other models. An execution that was held at so many deaths of workers that the next
one may be its last runs alone: if it is one that kills its worker, no other execution dies with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from jobstore.records import Execution
from jobstore.store import JobStore
from schemas.errors import BrokerUnavailable, StorageFull, VisualizationError
from schemas.health import WorkerStatus
from schemas.methods.card import Lane
from telemetry.logs import bound, get_logger
from workers.execution.at_work import ExecutionsAtWork, work
from workers.execution.attempt import Attempts
from workers.execution.held_executions import HeldExecution, HeldExecutions, is_suspect
from workers.execution.metrics import WorkerMetrics
from workers.execution.notifier import Notifier
from workers.execution.retry import retry_until_available
from workers.settings import WorkerSettings

SWEEP_SECONDS = 60.0  # between two sweeps of the store
ALIVE_SECONDS = 1.0  # between two calls of `alive`
FULL_SECONDS = 2.0  # between two tries to claim while Redis is full
GIVE_BACK_SECONDS = 5.0  # the longest time to give an execution back


@dataclass(frozen=True)
class WorkerIdentity:
    """The facts that a worker states about itself in every heartbeat. `loaded_models` returns the names of the models in memory."""

    id: str
    device: str
    loaded_models: Callable[[], Sequence[str]]
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class ClaimLoop:
    """The loop of one worker process.

    It calls `alive(seconds)` about once per second, and so promises to call it again within `seconds`.
    """

    def __init__(
        self,
        *,
        identity: WorkerIdentity,
        store: JobStore,
        attempts: Attempts,
        settings: WorkerSettings,
        metrics: WorkerMetrics,
        at_work: ExecutionsAtWork,
        alive: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._identity, self._store, self._attempts = identity, store, attempts
        self._settings, self._metrics, self._at_work, self._alive = settings, metrics, at_work, alive
        limits: dict[Lane, int] = {"fast": settings.fast_in_flight, "slow": settings.slow_in_flight}
        self._held = HeldExecutions(limits, settings.loading_in_flight)
        self._unsettled = 0  # executions that are claimed, but neither held nor given back yet
        self._changed = Notifier()
        self._connected = False
        self._draining = False
        self._log = get_logger(__name__)

    async def serve(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Then finish the executions that are held, or give them back after `worker_drain` seconds."""
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(task) for task in (self._report_alive(), self._keep_leases(), self._sweep())]
            claiming = [group.create_task(self._claim("fast")), group.create_task(self._claim("slow"))]
            try:
                await stop.wait()
                names = [f"{held.execution.key} ({held.execution.method}, {held.execution.model})" for held in self._held]
                self._log.info("draining", running=len(names), executions=names, at_most_seconds=self._settings.worker_drain)
                self._draining = True
                self._changed.notify()
                await asyncio.wait(claiming)
                await self._drain(self._settings.worker_drain)
            finally:
                await self._drain(0)
                for task in background:
                    task.cancel()
        await self._try_briefly(lambda: self._store.workers.forget(self._identity.id), "the worker's last heartbeat stays until it expires")

    def _room(self, lane: Lane) -> int:
        return self._held.room(lane) if self._connected else 0

    async def _claim(self, lane: Lane) -> None:
        while True:
            await self._changed.wait_for(lambda: self._draining or self._room(lane) > 0)
            if self._draining:
                return
            try:
                executions = await self._store.queue.claim(self._identity.id, lane, self._room(lane), self._settings.claim_block)
            except BrokerUnavailable as error:
                self._disconnected(error)
            except StorageFull as error:
                self._log.warning("no claims while Redis is full", lane=lane, detail=error.detail, again_in=FULL_SECONDS)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait_for(lambda: self._draining), FULL_SECONDS)
            else:
                await self._accept(executions)

    async def _accept(self, executions: Sequence[Execution]) -> None:
        """Start the executions. Give back those that may not start now, so that no attempt is counted for them."""
        self._unsettled += len(executions)
        for execution in executions:
            if self._draining or self._held.any_alone:
                await self._give_back(execution)
            else:
                held = HeldExecution(execution, alone=is_suspect(execution, self._settings.max_attempts))
                self._held.add(held)
                held.task = asyncio.create_task(self._hold(held))
            self._unsettled -= 1
        self._metrics.running(len(self._held))
        self._changed.notify()

    async def _hold(self, held: HeldExecution) -> None:
        execution = held.execution
        with (
            bound(
                worker=self._identity.id,
                execution=execution.key,
                attempt=execution.attempt,
                request_id=execution.request_id,
                method=execution.method,
                model=execution.model,
            ),
            self._at_work.holding(execution.key),
        ):
            started = time.monotonic()
            try:
                if held.alone:
                    await self._changed.wait_for(lambda: self._held.are_only(held) and not self._unsettled)
                with work().under_way() if held.alone else nullcontext():  # the death of a worker that holds nothing else is its fault
                    outcome = await self._attempts.make(execution, lambda: self._drop(held), partial(self._set_loading, held))
            except asyncio.CancelledError:
                outcome = "canceled" if held.unwanted else "released"
                if not held.unwanted:
                    await self._give_back(execution)
            except Exception:
                outcome = "lost"
                self._log.exception("an execution was left to be taken over")
            finally:
                self._held.discard(held)
                self._changed.notify()
            self._metrics.running(len(self._held))
            self._metrics.ended(outcome, execution.method, execution.model)
            self._log.info("execution ended", state=outcome, seconds=round(time.monotonic() - started, 3))

    def _set_loading(self, held: HeldExecution, loading: bool) -> None:
        """Note that an execution waits for its model, or has it. If there is no place for it then, give it back for any worker to run."""
        if not self._held.set_loading(held, loading) and held.task is not None:
            held.task.cancel()
        self._changed.notify()

    async def _give_back(self, execution: Execution) -> None:
        consequence = f"execution {execution.key} stays claimed until its lease expires"
        await self._try_briefly(lambda: self._store.queue.release(execution), consequence)

    async def _try_briefly(self, call: Callable[[], Awaitable[object]], otherwise: str) -> None:
        """Try a call that is useful but not necessary. The process must be able to end even if Redis is away."""
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await retry_until_available(call, StorageFull)
        except TimeoutError:
            self._log.warning("broker unavailable", consequence=otherwise)

    async def _keep_leases(self) -> None:
        """Renew all leases and the worker's own heartbeat every `heartbeat` seconds. Renew those of slow jobs every `cancel_poll` seconds,
        because the reply says which jobs were canceled."""
        next_heartbeat = 0.0
        while True:
            everything = time.monotonic() >= next_heartbeat or not self._connected
            held = [held for held in self._held if everything or (held.execution.lane == "slow" and not held.loading)]
            try:
                if held:
                    gone = await self._store.queue.renew(self._identity.id, [each.execution for each in held])
                    for each in held:
                        if each.execution in gone:
                            self._drop(each)
                if everything:
                    await self._store.workers.heartbeat(self._status())
                    next_heartbeat = time.monotonic() + self._settings.heartbeat
            except (BrokerUnavailable, StorageFull) as error:  # a Redis whose disk is full refuses every write
                self._disconnected(error)
            else:
                if not self._connected:
                    self._connected = True
                    self._changed.notify()
            await asyncio.sleep(self._settings.cancel_poll)

    def _disconnected(self, error: VisualizationError) -> None:
        if self._connected:
            self._log.warning("no more claims until leases are renewed", code=error.code, detail=error.detail)
        self._connected = False

    def _drop(self, held: HeldExecution) -> None:
        """Stop an execution that nobody wants or that another worker has taken over. Nothing is stored for it."""
        if held.task is not None and not held.unwanted:
            held.unwanted = True
            held.task.cancel()

    def _status(self) -> WorkerStatus:
        return WorkerStatus(
            id=self._identity.id,
            device=self._identity.device,
            started_at=self._identity.started_at,
            loaded_models=tuple(self._identity.loaded_models()),
            running=len(self._held),
            draining=self._draining,
        )

    async def _report_alive(self) -> None:
        while True:
            self._alive(self._settings.device_timeout)
            await asyncio.sleep(ALIVE_SECONDS)

    async def _sweep(self) -> None:
        while True:
            try:
                await self._store.sweep()
            except (BrokerUnavailable, StorageFull) as error:
                self._log.warning("sweep put off", code=error.code)
            await asyncio.sleep(SWEEP_SECONDS)

    async def _drain(self, seconds: float) -> None:
        """Wait for the executions that are held, for at most `seconds`. Cancel the others, which gives them back."""
        tasks = [held.task for held in self._held if held.task is not None]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
