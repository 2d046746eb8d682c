"""Check in two minutes that convscope has not become slower around its engine, without any other library.

The engine alone computes Grad-CAMs, then callers on the same machine get Grad-CAMs through HTTP, then the engine alone computes again. The
ratio HTTP over engine is printed twice: by time, which is the ratio of the throughputs, and by processor time, which is the engine's share
of all that a job costs, the callers included. Other work on the machine changes the first much more than the second, so the second counts.

Example:
    python -m benchmarks.quick
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from dataclasses import dataclass

from benchmarks.engine_alone import time_alone
from benchmarks.grad_cam_calls import grad_cams
from benchmarks.noisy_photos import noisy_photos
from benchmarks.process_times import processor_seconds
from cli.run_service import service_for_a_run

LEAST_SHARE = 0.25  # raise it when convscope has become faster; docs/performance.md has the figures of today and the goal
_CALLERS, _BATCH, _CALLS, _WARM_UP = 16, 8, 25, 64


@dataclass(frozen=True)
class QuickFigures:
    """Holds what one run has measured.

    Args:
        engine_per_second: the images that the engine alone explains in a second.
        engine_processor: the processor time of the engine alone for an image, in milliseconds.
        http_per_second: the jobs that are answered through HTTP in a second.
        http_processor: the processor time of all processes for a job, in milliseconds.
    """

    engine_per_second: float
    engine_processor: float
    http_per_second: float
    http_processor: float

    @property
    def by_time(self) -> float:
        """The throughput through HTTP over that of the engine alone."""
        return self.http_per_second / self.engine_per_second

    @property
    def by_processor(self) -> float:
        """The engine's share of the processor time of a job."""
        return self.engine_processor / self.http_processor

    def problem(self) -> str | None:
        """Return what is wrong, or None if the engine's share is large enough."""
        if self.by_processor >= LEAST_SHARE:
            return None
        outside = self.http_processor - self.engine_processor
        return (
            f"The engine's share of the processor time is {self.by_processor:.2f}, and it must be {LEAST_SHARE:.2f} or more. A job costs "
            f"{outside:.1f} ms outside the engine, which is more than before. `make bench-http` shows which part has grown."
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quick", description=__doc__)
    parser.add_argument("--jobs", type=int, default=240, help="the number of jobs that count")
    found = _measure(parser.parse_args().jobs)
    print(f"engine alone, batches of {_BATCH}: {found.engine_per_second:.1f} images/s, {found.engine_processor:.1f} ms of processor time")
    print(f"through HTTP, {_CALLERS} callers: {found.http_per_second:.1f} jobs/s, {found.http_processor:.1f} ms of processor time")
    print(f"HTTP over engine: {found.by_time:.2f} by time, {found.by_processor:.2f} by processor time (at least {LEAST_SHARE:.2f})")
    if problem := found.problem():
        raise SystemExit(problem)


def _measure(jobs: int) -> QuickFigures:
    before = time_alone(_BATCH, _CALLS)
    with service_for_a_run() as url:
        per_second, processor = asyncio.run(_through_http(url, jobs))
    after = time_alone(_BATCH, _CALLS)
    alone = {name: statistics.mean((before[name], after[name])) for name in before}
    return QuickFigures(alone["images_per_second"], alone["processor_ms"], per_second, processor)


async def _through_http(url: str, jobs: int) -> tuple[float, float]:
    await grad_cams(url, noisy_photos(_WARM_UP, 0), _CALLERS)
    photos = noisy_photos(jobs, 1)
    before, own, began = processor_seconds(), time.process_time(), time.perf_counter()
    await grad_cams(url, photos, _CALLERS)
    taken = time.perf_counter() - began
    spent = (processor_seconds() - before).total() + time.process_time() - own
    return jobs / taken, 1000 * spent / jobs


if __name__ == "__main__":
    main()
