"""Time convscope's engine beside other libraries: the same work, the same weights, the same photos.

The libraries of one framework share a process, and the implementations of all processes take turns in each round, so that other work on the
machine slows all alike. The weights are random, because weights do not change the times. Copies of a model in other frameworks must answer
as the model does, and maps of Grad-CAM must agree, before their times count.

Example:
    python -m benchmarks --rounds 3 --models mobilenet_v2 --only grad_cam rise
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.compared import ComparedTimes, earlier_rows, write
from benchmarks.peers.family_process import FAMILIES, FamilyProcess, ImplementationFailed
from benchmarks.peers.map_agreement import disagreements
from benchmarks.peers.work import LAYERS, PeerWork, works

_LONG_SECONDS = 20.0  # an implementation that needs so long for a call is called once


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="the number of rounds that count")
    parser.add_argument("--models", nargs="+", choices=list(LAYERS), default=list(LAYERS), help="the models for Grad-CAM")
    parser.add_argument("--only", nargs="+", help="the kinds of work, such as grad_cam or rise; all, if it is not given")
    parser.add_argument("--note", default="", help="a sentence for the results, for example about other work on the machine")
    parser.add_argument("--share", type=float, default=1, help="this share of the usual steps, samples and masks, for a brief run")
    parser.add_argument("--leave-out", nargs="+", default=[], help="the first words of the names of implementations that are left out")
    parser.add_argument("--keep", action="store_true", help="keep the rows of the results for work that is not measured now")
    arguments = parser.parse_args()
    wanted = [work for work in works(arguments.models, arguments.share) if not arguments.only or work.kind in arguments.only]
    if not wanted:
        parser.error(f"There is no such work. The kinds are {', '.join(dict.fromkeys(work.kind for work in works([])))} and grad_cam.")
    rows = [row for row in earlier_rows() if row.work not in wanted] if arguments.keep else []
    problems: list[str] = []
    versions: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        processes = [FamilyProcess(family, folder) for family in FAMILIES]
        for process in processes:
            stack.callback(process.end)
        for process in processes:
            versions |= process.ask("versions")
        text, given = "", set[str]()
        for work in wanted:
            if work.model not in given:
                processes[0].ask("give", work.model)
                given.add(work.model)
            row = _compare(work, processes, arguments, folder, problems)
            if "convscope" not in row.seconds:
                continue  # there is nothing to compare with, and `problems` says why
            rows.append(row)
            ratios = ", ".join(f"{one} {rows[-1].ratios(one)[1]:.2f}" for one in rows[-1].seconds)
            print(f"{work.title}, {work.model}, {work.images}: {ratios} times the processor time", flush=True)
            text = write(rows, versions, arguments.note)  # so that an end before the last row loses nothing
    print(text)
    if problems:
        raise SystemExit("\n".join(problems))


def _compare(
    work: PeerWork, processes: list[FamilyProcess], options: argparse.Namespace, folder: Path, problems: list[str]
) -> ComparedTimes:
    """Time one piece of work. An implementation that fails, or whose maps are others, is left out and added to `problems`."""
    seconds: dict[str, list[tuple[float, float]]] = {}
    maps: dict[str, np.ndarray] = {}
    players = [(process, name) for process in processes for name in process.ask("names", work.kind)]
    players = [(process, name) for process, name in players if not name.startswith(tuple(options.leave_out))]

    def try_to(process: FamilyProcess, name: str, *request: object) -> Any:
        try:
            return process.ask(*request)
        except ImplementationFailed as failure:
            problems.append(f"{work.title}, {name}: {failure}")
            seconds.pop(name, None)
            return None

    for process, name in players:
        seconds[name] = []
        try_to(process, name, "prepare", asdict(work), name)
    for turn in range(options.rounds):
        for process, name in players:
            if name not in seconds or (seconds[name] and seconds[name][0][0] > _LONG_SECONDS):
                continue
            if (spent := try_to(process, name, "time", name)) is not None:
                seconds[name].append((spent[0], spent[1]))
            if turn == 0 and work.kind in {"grad_cam", "eight_jobs"} and name in seconds:
                process.ask("value", str(folder / "value.npy"))
                maps[name] = np.load(folder / "value.npy")
    for process in processes:
        process.ask("drop")
    for name, problem in disagreements(maps).items():
        problems.append(f"{work.title}, {name}: {problem}")
        del seconds[name]
    return ComparedTimes(work, seconds, datetime.now(UTC).isoformat(timespec="seconds"))


if __name__ == "__main__":
    main()
