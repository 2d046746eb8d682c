"""Measure throughput and percentiles of the whole of convscope against the load that is offered, with 1 and 2 workers.

It also runs `benchmarks.waiters` with 1,000 waiting callers, and lets the queue overflow tenfold. The callers run on the same machine.

Example:
    python -m benchmarks.load --rates 5 10 20 --seconds 15 --workers 1
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.load.calls import warm_up
from benchmarks.load.curves import draw
from benchmarks.load.load_point import LoadPoint, measure
from benchmarks.load.overflow import Overflow, overflow
from benchmarks.load.site import site
from benchmarks.this_machine import RESULTS, this_machine

_ROOT = Path(__file__).parents[2]
_PICTURE = _ROOT / "docs" / "pictures" / "load.png"
_KINDS = ("grad_cam", "activations", "mixed")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=[5, 10, 20, 30, 40, 60, 80], help="the offered calls a second")
    parser.add_argument("--seconds", type=float, default=20, help="the length of one measurement")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="the numbers of worker processes")
    parser.add_argument("--traffic", nargs="+", choices=_KINDS, default=list(_KINDS), help="the kinds of traffic")
    parser.add_argument("--waiting", type=int, default=1000, help="the number of waiting callers; 0 leaves this part out")
    parser.add_argument("--note", default="", help="a sentence for the results, for example about other work on the machine")
    arguments = parser.parse_args()
    points: list[LoadPoint] = []
    for workers in arguments.workers:
        with site(workers) as url:
            warm_up(url, 4 * workers)
            for traffic in arguments.traffic:
                for offered in arguments.rates:
                    points.append(measure(url, traffic, workers, offered, arguments.seconds))
                    print(points[-1], flush=True)
    waiting = _waiting(arguments.waiting) if arguments.waiting else ""
    print(_write(points, waiting, overflow(1), arguments.note))
    draw(points, _PICTURE)


def _waiting(callers: int) -> str:
    streams = callers // 5
    command = [sys.executable, "-m", "benchmarks.waiters", "--polls", str(callers - streams), "--streams", str(streams)]
    return subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603 - the command is fixed


def _write(points: Sequence[LoadPoint], waiting: str, queue: Overflow, note: str) -> str:
    machine = this_machine()
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    lines = [
        f"Calls of the one-line form with new photos of 451 × 300 pixels; the callers run on the same machine. {note}".rstrip(),
        "",
        f"{machine.processor}, {machine.cores} cores, {versions}; {machine.at}.",
        "",
        "| traffic | workers | offered a second | answered a second | failed | p50, ms | p95, ms | p99, ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for point in points:
        times = f"{point.p50:.0f} | {point.p95:.0f} | {point.p99:.0f}"
        lines.append(f"| {point.traffic} | {point.workers} | {point.offered:g} | {point.answered:.1f} | {point.failed} | {times} |")
    lines += ["", "Waiting callers:", "", *(f"- {line}" for line in waiting.splitlines())] if waiting else []
    lines += [
        "",
        f"A queue with room for {queue.room} jobs, and {queue.submitted} submissions at once: {queue.accepted} were accepted, and "
        f"{queue.finished} of them succeeded. {queue.refused} were refused, {queue.refused_without_retry_after} of them without "
        f"`Retry-After`; a refusal took {queue.refusal_p50} ms (median) and {queue.refusal_p95} ms (p95).",
    ]
    text = "\n".join(lines) + "\n"
    content = {**asdict(machine), "note": note, "points": [asdict(point) for point in points], "waiting": waiting, "queue": asdict(queue)}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "load.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (RESULTS / "load.md").write_text(text, "utf-8")
    return text


if __name__ == "__main__":
    main()
