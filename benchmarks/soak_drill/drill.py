"""Load a whole convscope for a time, let all results expire, and compare what it takes with what it took before."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from redis import Redis

from benchmarks.fault_drill.registry import Fault, Figure, none
from benchmarks.soak_drill import NAME, TITLE
from benchmarks.soak_drill.calls import CALLS_OF_A_TURN, call
from benchmarks.soak_drill.models import MODELS, write_models
from benchmarks.soak_drill.vitals import Vitals, growth, measured
from schemas.errors import BrokerUnavailable
from tests.faults.served_stack import ServedStack

_CALLERS = 4
_WARM_CALLS = 2 * CALLS_OF_A_TURN * len(MODELS)  # each model is loaded, unloaded and loaded again
_SETTLED_JOBS, _LATER_JOBS = 500, 5000  # between which memory may hardly grow
_LONG_JOBS = 1500  # a shorter run does not show this, because memory goes up and down as models come and go
_MOST_PERCENT = 3.0
_STATES = 60  # that are measured under load
_RESULT_SECONDS = 10  # that a result lives; its record lives for twice as long, and its events for a minute
_EXPIRY_SECONDS = 75  # until every record has expired, and the events of all jobs
_SWEEP_SECONDS = 5  # workers sweep once a minute, which is too seldom for results that live for seconds
_MIB = 2**20
_SETTINGS = {
    "preload": "soak-a",
    "result_ttl": _RESULT_SECONDS,
    "max_loaded_bytes": 120 * _MIB,  # room for about half of the models with their compiled functions
    # These two caches are small, so that they are full before the first state is measured.
    "result_memory": 2 * _MIB,
    "drawing_memory": 2 * _MIB,
    "max_queued": 1000,
}


@dataclass(frozen=True)
class Bar:
    """Says how much a value may grow for 1,000 jobs. It may grow by `slack` in all without a reason, because it goes up and down anyway."""

    subject: str
    value: Callable[[Vitals], float]
    per_thousand: float
    slack: float
    unit: str = ""

    def figure(self, grown: float, per_thousand: float) -> Figure:
        promise = f"at most {self.per_thousand:g}{self.unit}, or {self.slack:g}{self.unit} in all"
        holds = per_thousand <= self.per_thousand or grown <= self.slack
        return Figure(f"{self.subject}, for 1,000 jobs", promise, f"{per_thousand:+.1f}{self.unit} ({grown:+.1f}{self.unit} in all)", holds)


UNDER_LOAD = (
    Bar("memory of the service", lambda each: each.service_memory / _MIB, 2, 8, " MiB"),
    Bar("memory of the worker", lambda each: each.worker_memory / _MIB, 5, 25, " MiB"),
    Bar("descriptors of both", lambda each: each.descriptors, 1, 6),
    Bar("processes", lambda each: each.processes, 1, 2),
    Bar("compiled functions", lambda each: each.functions, 5, 25),
)
AFTER_EXPIRY = (
    Bar("keys of Redis after all has expired", lambda each: each.redis_keys, 1, 10),
    Bar("memory of Redis after all has expired", lambda each: each.redis_memory / _MIB, 0.2, 1, " MiB"),
    Bar("files after all has expired", lambda each: each.files, 0, 0),
    Bar("bytes of files after all has expired", lambda each: each.file_bytes, 0, 0),
)


def soak(minutes: float) -> Fault:
    """Return the drill that loads a convscope for so many minutes."""

    async def run(folder: Path, short: bool) -> list[Figure]:
        return await _run(folder, minutes)

    return Fault(NAME, TITLE, run, 200)


async def _run(folder: Path, minutes: float) -> list[Figure]:
    stack = ServedStack(folder, **_SETTINGS)
    try:
        write_models(folder / "models")
        stack.start_workers()
        await stack.ready("soak-a")
        load = VaryingLoad(stack)
        with Redis.from_url(stack.redis.url) as redis:
            sweeping = asyncio.create_task(_sweep(stack))
            await load.run(count=_WARM_CALLS)
            await asyncio.sleep(_EXPIRY_SECONDS)
            before = await measured(stack, redis, load.calls)
            states = await _states_under_load(load, redis, 60 * minutes)
            await asyncio.sleep(_EXPIRY_SECONDS)
            after = await measured(stack, redis, load.calls)
            sweeping.cancel()
        deaths = len(stack.said("worker ended"))
    finally:
        await stack.close()
    jobs = after.jobs - before.jobs
    print(f"  {jobs:,} jobs; some of the states under load:", *states[:: max(1, len(states) // 12)], sep="\n  ", flush=True)
    figures = [bar.figure(*growth(states, bar.value)) for bar in UNDER_LOAD]
    if states[-1].jobs >= _LONG_JOBS:
        figures.append(_in_percent(states))
    for bar in AFTER_EXPIRY:
        left = bar.value(after) - bar.value(before)
        figures.append(bar.figure(left, 1000 * left / jobs))
    return [none("answers that were not as expected", load.wrong.total(), load.calls), none("workers that died", deaths, 1), *figures]


def _in_percent(states: Sequence[Vitals]) -> Figure:
    """Return how much the memory of the worker has grown between two numbers of jobs: the last quarter of the states beside the first."""
    later = [state for state in states if _SETTLED_JOBS <= state.jobs <= _LATER_JOBS]
    quarter = max(1, len(later) // 4)
    first, last = (median(state.worker_memory for state in part) for part in (later[:quarter], later[-quarter:]))
    percent = 100 * (last / first - 1)
    span = f"from job {later[0].jobs:,} to job {later[-1].jobs:,}"
    return Figure(f"memory of the worker, {span}", f"at most {_MOST_PERCENT:g} % more", f"{percent:+.1f} %", percent <= _MOST_PERCENT)


async def _states_under_load(load: VaryingLoad, redis: Redis, seconds: float) -> list[Vitals]:
    """Call until the time is over, and return the states meanwhile."""
    loading = asyncio.create_task(load.run(seconds=seconds))
    states: list[Vitals] = []
    while not loading.done():
        states.append(await measured(load.stack, redis, load.calls))
        await asyncio.wait([loading], timeout=seconds / _STATES)
    await loading
    return states


async def _sweep(stack: ServedStack) -> None:
    while True:
        with suppress(BrokerUnavailable):  # the next sweep deletes what this one has left
            await stack.store.sweep()
        await asyncio.sleep(_SWEEP_SECONDS)


class VaryingLoad:
    """Calls the service with one call after the other, several at a time."""

    def __init__(self, stack: ServedStack) -> None:
        self.stack = stack
        self.calls = 0
        self.wrong: Counter[str] = Counter()

    async def run(self, *, count: int | None = None, seconds: float = 3600) -> None:
        end, last = time.monotonic() + seconds, None if count is None else self.calls + count

        async def caller() -> None:
            while time.monotonic() < end and (last is None or self.calls < last):
                self.calls += 1
                await self._call(self.calls)

        async with asyncio.TaskGroup() as group:
            for _ in range(_CALLERS):
                group.create_task(caller())

    async def _call(self, number: int) -> None:
        given = call(number)
        files = None if given.photo is None else {"image": (f"{number}.png", given.photo)}
        headers = {"Accept": given.accept, "Prefer": "wait=60"}
        answer = await self.stack.client.post(f"/v1/{given.method}", data=given.fields, files=files, headers=headers)
        if answer.status_code != given.status:
            self.wrong[f"{given.method} {answer.status_code}"] += 1
            print(f"  call {number}: {given.method} {given.fields} got {answer.status_code} {answer.text[:300]}", flush=True)
