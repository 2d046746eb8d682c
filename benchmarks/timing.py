"""Time several implementations of one piece of work side by side, and write the results."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Timing:
    """The times of one piece of work: the median milliseconds per image, by the name of the implementation."""

    work: str
    model: str
    images: int
    rounds: int
    milliseconds: dict[str, float]

    @property
    def reference(self) -> str:
        """The name of the first implementation, with which the others are compared."""
        return next(iter(self.milliseconds))


def compare(work: str, model: str, implementations: Mapping[str, Callable[[], object]], images: int, rounds: int) -> Timing:
    """Call each implementation once in every round, in turn, after one round that does not count.

    Args:
        work: the name of the work.
        model: the name of the model.
        implementations: the functions to time, by name. The first is the one that the others are compared with.
        images: the number of images that one call processes.
        rounds: the number of rounds that count.
    """
    spent: dict[str, list[float]] = {name: [] for name in implementations}
    for turn in range(rounds + 1):
        for name, call in implementations.items():
            began = time.perf_counter()
            call()
            if turn:
                spent[name].append(time.perf_counter() - began)
    milliseconds = {name: round(1000 * statistics.median(times) / images, 3) for name, times in spent.items()}
    return Timing(work, model, images, rounds, milliseconds)


@dataclass(frozen=True)
class Machine:
    """The machine and the library versions of a measurement."""

    at: str
    processor: str
    cores: int
    versions: dict[str, str]


def this_machine() -> Machine:
    """Return this machine and the library versions of this environment, now."""
    versions = {package: metadata.version(package) for package in ("keras", "numpy")} | {"tensorflow": _tensorflow()}
    return Machine(datetime.now(UTC).isoformat(timespec="seconds"), _processor(), len(os.sched_getaffinity(0)), versions)


def write(timings: Sequence[Timing], name: str) -> str:
    """Write the timings to `results/NAME.json` and `results/NAME.md`, and return the Markdown."""
    machine = this_machine()
    text = _markdown(timings, machine)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(
        json.dumps({**asdict(machine), "rows": [asdict(timing) for timing in timings]}, indent=1) + "\n", "utf-8"
    )
    (RESULTS / f"{name}.md").write_text(text, "utf-8")
    return text


def _markdown(timings: Sequence[Timing], machine: Machine) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    lines = [
        "Median milliseconds per image; the implementations take turns within each round. "
        f"{machine.processor}, {machine.cores} cores, {versions}; {machine.at}.",
        "",
        "| work | model | images per call | implementation | ms | speed-up |",
        "|---|---|---|---|---|---|",
    ]
    for timing in timings:
        for name, spent in timing.milliseconds.items():
            ratio = timing.milliseconds[timing.reference] / spent
            lines.append(f"| {timing.work} | {timing.model} | {timing.images} | {name} | {spent:,.1f} | {ratio:.2f} |")
    return "\n".join(lines) + "\n"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _tensorflow() -> str:
    for package in ("tensorflow-cpu", "tensorflow"):
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return "?"
