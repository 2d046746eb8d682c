"""Keep the figures of each fault in `benchmarks/results/faults`, and write `docs/reliability.md` from them."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import soak_drill
from benchmarks.fault_drill.registry import Fault, Figure, all_faults

_ROOT = Path(__file__).parents[2]
_RESULTS = _ROOT / "benchmarks" / "results" / "faults"
_PAGE = _ROOT / "docs" / "reliability.md"
_BEGIN, _END = "<!-- The drill of faults writes the lines between these marks. -->\n", "<!-- Here its lines end. -->\n"


def keep(fault: Fault, figures: Sequence[Figure] | str, seconds: float, *, short: bool) -> None:
    """Write the result of one run of a fault: its figures, or the reason why it was not tried. It replaces the last one."""
    _RESULTS.mkdir(parents=True, exist_ok=True)
    result = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": _machine(),
        "version": "short" if short else "long",
        "seconds": round(seconds),
        "figures": figures if isinstance(figures, str) else [dataclasses.asdict(figure) for figure in figures],
    }
    (_RESULTS / f"{fault.name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")


def write_page() -> None:
    """Replace the drills' lines on the page by those of all results that are kept."""
    before, rest = _PAGE.read_text("utf-8").split(_BEGIN)
    _, after = rest.split(_END)
    lines = ["", "| fault | run | figure | measured | promised | |", "|---|---|---|---|---|---|"]
    titles = {fault.name: fault.title for fault in all_faults().values()} | {soak_drill.NAME: soak_drill.TITLE}
    for name, title in titles.items():
        path = _RESULTS / f"{name}.json"
        lines += _rows(title, json.loads(path.read_text("utf-8"))) if path.exists() else [f"| {title} | not run yet | | | | |"]
    _PAGE.write_text(before + _BEGIN + "\n".join(lines) + "\n\n" + _END + after, "utf-8")


def _rows(title: str, result: dict[str, Any]) -> list[str]:
    run = f"{result['date']}, {result['version']}, {result['seconds']} s, {result['machine']}"
    if isinstance(result["figures"], str):
        return [f"| {title} | {run} | not tried | {result['figures']} | | |"]
    rows: list[str] = []
    for figure in (Figure(**each) for each in result["figures"]):
        shown, when = ("", "") if rows else (title, run)
        rows.append(
            f"| {shown} | {when} | {figure.subject} | {figure.value} | {figure.promise} | {'holds' if figure.holds else '**missed**'} |"
        )
    return rows


def _machine() -> str:
    return f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, no GPU"
