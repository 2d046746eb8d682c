"""Time `convscope run` beside a loop written by hand, on photos that the service has never seen, with a service of their own.

The two take turns. Each has the photos of its turn for itself, so no result is reused, and both write a picture for each photo.

Example:
    python -m benchmarks.run_command --photos 300 --rounds 3
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.noisy_photos import noisy_photos
from cli.run_service import service_for_a_run

_ROOT = Path(__file__).parents[1]
_MODEL = "efficientnet_lite0"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run_command", description=__doc__)
    parser.add_argument("--photos", type=int, default=300, help="the number of photos of a turn")
    parser.add_argument("--rounds", type=int, default=3, help="the number of turns of each of the two")
    arguments = parser.parse_args()
    seconds: dict[str, list[tuple[float, float]]] = {"hand-written loop": [], "convscope run": []}
    with tempfile.TemporaryDirectory() as name, service_for_a_run() as url:
        folder = Path(name)
        for turn in range(arguments.rounds + 1):
            for place, (program, spent) in enumerate(seconds.items()):
                photos, out = folder / f"photos_{turn}_{place}", folder / f"out_{turn}_{place}"
                _write_photos(photos, arguments.photos if turn else 16, 2 * turn + place)
                taken = _timed(_command(program, url, photos, out), folder / "bytecode")
                if turn:  # the first turn loads the model and compiles its functions
                    spent.append(taken)
    medians: list[float] = []
    for program, spent in seconds.items():
        median, own = (statistics.median(values) for values in zip(*spent, strict=True))
        every = ", ".join(f"{clock:.2f}" for clock, _ in spent)
        print(f"{program}: {median:.2f} s ({every}), {arguments.photos / median:.1f} photos/s, {own:.2f} s of processor time of its own")
        medians.append(median)
    print(f"convscope run takes {medians[1] / medians[0]:.2f} times as long as the loop.", flush=True)


def _command(program: str, url: str, photos: Path, out: Path) -> list[str]:
    if program == "convscope run":
        options = ["--model", _MODEL, "--out", str(out), "--url", url, "--callers", "8"]
        return [str(Path(sys.executable).with_name("convscope")), "run", "grad_cam", str(photos), *options]
    return [sys.executable, str(_ROOT / "benchmarks" / "hand_written_loop.py"), url, str(photos), str(out)]


def _timed(command: list[str], bytecode: Path) -> tuple[float, float]:
    """Return the seconds that a command took, and those in which it used a processor itself.

    Python keeps compiled modules below `bytecode`, so that only the first turn compiles them, as after an installation.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(bytecode)
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603 - the commands are fixed
    taken, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _write_photos(folder: Path, count: int, seed: int) -> None:
    folder.mkdir()
    for number, photo in enumerate(noisy_photos(count, seed)):
        (folder / f"{number:04}.jpg").write_bytes(photo)


if __name__ == "__main__":
    main()
