"""Measure what the call on each method's page costs, and write it to `results/method_costs.json`, from which the chooser is made.

All of convscope runs, and the calls are those of `docs/methods/*.md`, made by curl. Each is made twice: the first time, functions are
compiled and weights are read. The second one counts, and takes no earlier result. The figure is the processor time of all processes of
convscope, because other work on the machine changes it much less than the time by the clock.

Example:
    python -m benchmarks.method_costs --methods grad_cam rise
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from benchmarks.process_times import processor_seconds
from benchmarks.this_machine import RESULTS, this_machine
from cli.gallery_models import PRUNED, SMALL_VIT, gallery_models
from cli.gallery_sets import SETS_OF, photo_sets
from cli.method_page import PAGES
from cli.run_service import service_for_a_run
from schemas.methods import METHODS

_SAMPLES = PAGES.parents[1] / "samples"
_RESULTS = RESULTS / "method_costs.json"
_COMMANDS = re.compile(r"```sh\n(.*?)\n```", re.DOTALL)
_TURNS = 20  # a call that has not ended after a minute is made again, and joins the job
_PROGRAM = 'set -e; curl() { command curl -fsS "${fresh[@]}" "$@"; }; fresh=(%s)\n%s\n'


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.method_costs", description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS), help="the methods to measure")
    names = parser.parse_args().methods
    found: dict[str, float] = json.loads(_RESULTS.read_text("utf-8"))["seconds"] if _RESULTS.exists() else {}
    with gallery_models([PRUNED, SMALL_VIT], _SAMPLES), service_for_a_run() as url:
        sets = _sets(url) if SETS_OF.keys() & set(names) else {}
        for name in names:
            _run(name, url, sets)
            before = processor_seconds().total()
            _run(name, url, sets)
            found[name] = round(processor_seconds().total() - before, 2)
            print(f"{name}: {found[name]:g} s", flush=True)
    results = {**asdict(this_machine()), "seconds": {name: found[name] for name in METHODS if name in found}}
    _RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def _sets(url: str) -> dict[str, str]:
    """Make the sets of photos that the pages of methods name, and return their ids by these names."""
    with httpx.Client(base_url=url) as client:

        def made(path: str, **body: Any) -> str:
            return str(client.post(path, **body).raise_for_status().json()["id"])

        uploaded = {
            name: [made("/v1/images", files={"image": each}) for each in set(photos)] for name, photos in photo_sets(_SAMPLES).items()
        }
        return {name: made("/v1/sets", json={"name": name, "images": images}) for name, images in uploaded.items()}


def _run(method: str, url: str, sets: Mapping[str, str]) -> None:
    """Make the call of a method's page once. In it, `$NAME` stands for the id of the set with this name.

    Raises:
        RuntimeError: the page has no call, or the call fails.
    """
    page = (PAGES / f"{method}.md").read_text("utf-8")
    commands = _COMMANDS.search(page)
    if commands is None:
        raise RuntimeError(f"The page of {method} shows no call.")
    text = commands[1].replace("localhost:8000", url)
    error = ""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "samples").symlink_to(_SAMPLES)
        for turn in range(_TURNS):
            fresh = "" if turn else "-H 'Cache-Control: no-cache'"
            command = ["bash", "-c", _PROGRAM % (fresh, text)]
            ended = subprocess.run(command, cwd=folder, env={**os.environ, **sets}, capture_output=True, text=True, check=False)  # noqa: S603 - it is our own page
            error = ended.stderr
            if ended.returncode == 0:
                return
            if "504" not in error:
                break
    raise RuntimeError(f"The call of {method} failed: {error}")


if __name__ == "__main__":
    main()
