"""Say on which machine and with which versions a benchmark ran, and where its results go."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


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
