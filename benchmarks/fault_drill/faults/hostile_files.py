"""Ask for hostile model files while other jobs run. The worker and the model are real."""

from __future__ import annotations

import asyncio
import math
import re
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.fault_drill.ends import ended_jobs, figures_of_ends
from benchmarks.fault_drill.registry import Fault, Figure, none
from catalog.catalog import load_catalog
from schemas.errors import ModelLoadFailed
from tests.faults.stack import WorkerStack
from tests.workers.jobs import OWNER, resolved
from tests.workers.models.hostile import archives
from tests.workers.tiny import photo

_CALM_JOBS = 200
_MOST_SLOWER, _MOST_GROWTH = 2.0, 1.1


async def run(folder: Path, short: bool) -> list[Figure]:
    rounds = 1 if short else 5
    stack = WorkerStack(folder)
    says = await asyncio.to_thread(_write_files, stack, rounds)
    try:
        stack.start_workers()
        jobs = _Jobs(stack)
        await jobs.start()
        await jobs.run(_CALM_JOBS)  # these warm everything up
        calm = await jobs.run(_CALM_JOBS)
        worker = psutil.Process(stack.worker_pid)
        before = worker.memory_info().rss
        asking = asyncio.create_task(_ask(stack, says))
        beside: list[float] = []
        while not asking.done():
            beside += await jobs.run(1)
        wrong = asking.result()
        after = worker.memory_info().rss
        ends = await figures_of_ends(stack.store, await ended_jobs(stack.store, jobs.ids, OWNER))
        deaths = len(stack.said("worker ended"))
    finally:
        await stack.close()
    usual, slower = _p95(calm), _p95(beside)
    promise = f"within {_MOST_SLOWER:g} × {1000 * usual:.1f} ms, the p95 without hostile files"
    megabytes = f"{before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after"
    return [
        none("hostile files that were not refused with their reason", len(wrong), len(says)),
        Figure(
            f"p95 of {len(beside)} jobs beside them",
            promise,
            f"{1000 * slower:.1f} ms",
            slower <= _MOST_SLOWER * usual,
            compares_times=True,
        ),
        Figure("memory of the worker", "at most 10 % more", megabytes, after <= _MOST_GROWTH * before),
        none("worker processes that ended", deaths, 1),
        *ends,
    ]


def _write_files(stack: WorkerStack, rounds: int) -> dict[str, str]:
    """Write hostile files to the models folder. Return what each refusal says, a regular expression, by the name of the model."""
    models, says = stack.folder / "models", {}
    good = archives.read_archive(models / "tiny.keras")
    for number in range(rounds):
        for index, (change, reason) in enumerate(archives.CHANGES.values()):
            name, members = f"hostile-{number}-{index}", dict(good)
            change(members, stack.folder)
            path = archives.write_archive(models / f"{name}.keras", members)
            with zipfile.ZipFile(path, "a") as archive:  # a file that is known to be unloadable is not read again
                archive.comment = name.encode()
            says[name] = reason
    return says


async def _ask(stack: WorkerStack, says: dict[str, str]) -> list[str]:
    """Ask for one hostile model after the other. Return the names of those that were not refused with their reason."""
    catalog, wrong = load_catalog(stack.folder / "none.toml", stack.folder / "models"), []
    for name, reason in says.items():
        try:
            await stack.store.models.describe(name, catalog[name].digest, 120)
        except ModelLoadFailed as refusal:
            if re.search(reason, refusal.detail):
                continue
        wrong.append(name)
    return wrong


class _Jobs:
    """Runs predictions one after the other, no two of which are equal."""

    def __init__(self, stack: WorkerStack) -> None:
        self._stack = stack
        self.ids: list[str] = []

    async def start(self) -> None:
        self._model = await self._stack.model()

    async def run(self, count: int) -> list[float]:
        """Run so many jobs, and return the seconds that each took from its submission to its end."""
        seconds: list[float] = []
        for _ in range(count):
            submission = resolved("predict", self._model, photo(len(self.ids)))
            began = time.perf_counter()
            self.ids.append(await self._stack.submit(submission))
            await self._stack.store.jobs.wait(self.ids[-1], OWNER, 60)
            seconds.append(time.perf_counter() - began)
        return seconds


def _p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]


FAULT = Fault("hostile-files", "Hostile model files are asked for beside other jobs", run, 125)
