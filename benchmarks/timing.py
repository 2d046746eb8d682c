"""Contestants timed side by side, and what is said of it."""

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

_RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One piece of work: median milliseconds an image by contestant."""

    work: str
    model: str
    images: int
    rounds: int
    milliseconds: dict[str, float]

    @property
    def reference(self) -> str:
        """The contestant that the others are compared with: the first."""
        return next(iter(self.milliseconds))


def compare(work: str, model: str, contestants: Mapping[str, Callable[[], object]], images: int, rounds: int) -> Row:
    """Each contestant once in every round, in turn, after one round that does not count. A call does `images` images. The first
    contestant is the one that the others are compared with."""
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, call in contestants.items():
            began = time.perf_counter()
            call()
            if turn:
                spent[name].append(time.perf_counter() - began)
    milliseconds = {name: round(1000 * statistics.median(times) / images, 3) for name, times in spent.items()}
    return Row(work, model, images, rounds, milliseconds)


@dataclass(frozen=True)
class Facts:
    """Where and with what the times were taken."""

    at: str
    processor: str
    cores: int
    versions: dict[str, str]


def write(rows: Sequence[Row], name: str) -> str:
    """The rows as `results/NAME.json` and `.md`; the Markdown."""
    versions = {package: metadata.version(package) for package in ("keras", "numpy")} | {"tensorflow": _tensorflow()}
    facts = Facts(datetime.now(UTC).isoformat(timespec="seconds"), _processor(), len(os.sched_getaffinity(0)), versions)
    text = _markdown(rows, facts)
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / f"{name}.json").write_text(json.dumps({**asdict(facts), "rows": [asdict(row) for row in rows]}, indent=1) + "\n", "utf-8")
    (_RESULTS / f"{name}.md").write_text(text, "utf-8")
    return text


def _markdown(rows: Sequence[Row], facts: Facts) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    lines = [
        f"Median milliseconds an image, contestants in turn within each round. {facts.processor}, {facts.cores} cores, {versions}; "
        f"{facts.at}.",
        "",
        "| work | model | images a call | who | ms | times as fast |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        for name, spent in row.milliseconds.items():
            ratio = row.milliseconds[row.reference] / spent
            lines.append(f"| {row.work} | {row.model} | {row.images} | {name} | {spent:,.1f} | {ratio:.2f} |")
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
