"""Time Grad-CAM through HTTP beside the engine alone, and say which part of convscope uses how much processor time for a job.

The service, Redis and the worker are the real ones, with their default settings. Every photo is a new one, so no result is reused, except
in the row of repeated jobs. The callers run on the same machine; their own time is a row, too. The engine alone is timed right before and
right after, because other work on the machine changes all times.

Example:
    python -m benchmarks.through_http --jobs 600
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from dataclasses import asdict, dataclass, field

import numpy as np

from benchmarks.engine_alone import MODEL, time_alone
from benchmarks.grad_cam_calls import grad_cams
from benchmarks.light_caller import Answered, call_all, one_line_call
from benchmarks.noisy_photos import noisy_photos
from benchmarks.process_times import processor_seconds
from benchmarks.this_machine import RESULTS, this_machine
from cli.run_service import service_for_a_run

_CALLERS, _BATCH = 16, 8
_WARM_UP = 64
_ALONE_JOBS = 60
_SYNTHESIS = {"model": MODEL, "layer": "block4_expand_conv", "channels": ",".join(map(str, range(64))), "steps": "256"}


@dataclass
class Figures:
    """This holds what one run has measured. Times are in milliseconds."""

    engine_per_second: float = 0.0
    engine_processor: float = 0.0
    engine_one_image: float = 0.0
    http_per_second: float = 0.0
    http_p50: float = 0.0
    http_p95: float = 0.0
    processor: dict[str, float] = field(default_factory=dict[str, float])
    one_caller_p50: float = 0.0
    repeated_p50: float = 0.0
    p95_alone: float = 0.0
    p95_beside_synthesis: float = 0.0

    def rows(self) -> list[tuple[str, str, str]]:
        """Return each figure with its goal."""
        outside = sum(self.processor.values()) - self.engine_processor
        parts = ", ".join(f"{name} {spent:.1f}" for name, spent in self.processor.items())
        return [
            ("engine alone, batches of 8, images a second", f"{self.engine_per_second:.1f}", ""),
            (f"through HTTP, {_CALLERS} callers, jobs a second", f"{self.http_per_second:.1f}", ""),
            ("through HTTP over the engine alone", f"{self.http_per_second / self.engine_per_second:.2f}", "≥ 0.75"),
            (f"p50 and p95 of {_CALLERS} callers, ms", f"{self.http_p50:.0f}, {self.http_p95:.0f}", ""),
            ("processor time of a job, ms", parts, ""),
            ("processor time of a job outside the engine, ms", f"{outside:.1f}", "≤ 8"),
            ("one caller, p50, ms", f"{self.one_caller_p50:.1f}", ""),
            ("one caller, p50 beyond the engine's own time, ms", f"{self.one_caller_p50 - self.engine_one_image:.1f}", "≤ 8"),
            ("a repeated job, p50, ms", f"{self.repeated_p50:.1f}", "≤ 2"),
            ("p95 of one caller, ms", f"{self.p95_alone:.0f}", ""),
            ("p95 of one caller beside a synthesis of 64 channels, ms", f"{self.p95_beside_synthesis:.0f}", "≤ 120"),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.through_http", description=__doc__)
    parser.add_argument("--jobs", type=int, default=600, help="the number of jobs of the row with many callers")
    arguments = parser.parse_args()
    figures = Figures()
    before = time_alone(_BATCH)
    with service_for_a_run() as url:
        asyncio.run(_measure(url, arguments.jobs, figures))
    after, alone = time_alone(_BATCH), time_alone(1)
    figures.engine_per_second = statistics.mean((before["images_per_second"], after["images_per_second"]))
    figures.engine_processor = statistics.mean((before["processor_ms"], after["processor_ms"]))
    figures.engine_one_image = alone["call_ms"]
    print(_write(figures, arguments.jobs))


async def _measure(url: str, jobs: int, figures: Figures) -> None:
    await grad_cams(url, noisy_photos(_WARM_UP, 0), _CALLERS)
    photos = noisy_photos(jobs, 1)
    before, own, began = processor_seconds(), time.process_time(), time.perf_counter()
    answers = await grad_cams(url, photos, _CALLERS)
    taken, spent = time.perf_counter() - began, processor_seconds() - before
    figures.processor = {name: 1000 * seconds / jobs for name, seconds in sorted(spent.items())}
    figures.processor["callers"] = 1000 * (time.process_time() - own) / jobs
    figures.http_per_second = jobs / taken
    figures.http_p50, figures.http_p95 = _percentile(answers, 50), _percentile(answers, 95)
    alone = await grad_cams(url, noisy_photos(_ALONE_JOBS, 2), 1)
    figures.one_caller_p50, figures.p95_alone = _percentile(alone, 50), _percentile(alone, 95)
    figures.repeated_p50 = _percentile(await grad_cams(url, noisy_photos(_ALONE_JOBS, 2), 1), 50)
    figures.p95_beside_synthesis = await _beside_synthesis(url)


async def _beside_synthesis(url: str) -> float:
    synthesis = asyncio.create_task(call_all(url, [one_line_call(url, "filters", _SYNTHESIS)], 1))
    await asyncio.sleep(2)  # its functions are compiled
    beside: list[Answered] = []
    for number in range(3, 3 + _ALONE_JOBS):
        if synthesis.done():
            raise SystemExit(f"The synthesis ended too early: {synthesis.result()}")
        beside += await grad_cams(url, noisy_photos(1, number), 1)
    synthesis.cancel()
    return _percentile(beside, 95)


def _percentile(answers: list[Answered], percent: float) -> float:
    return 1000 * float(np.percentile([answer.seconds for answer in answers], percent))


def _write(figures: Figures, jobs: int) -> str:
    machine = this_machine()
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    lines = [
        f"Grad-CAM of `{MODEL}` on photos of 451 × 300 pixels, answered as PNG with title and scale; {jobs} jobs. "
        f"{machine.processor}, {machine.cores} cores, {versions}; {machine.at}.",
        "",
        "| figure | measured | goal |",
        "|---|---|---|",
        *(f"| {name} | {value} | {goal} |" for name, value, goal in figures.rows()),
    ]
    text = "\n".join(lines) + "\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "through_http.json").write_text(json.dumps({**asdict(machine), "jobs": jobs, **asdict(figures)}, indent=1) + "\n", "utf-8")
    (RESULTS / "through_http.md").write_text(text, "utf-8")
    return text


if __name__ == "__main__":
    main()
