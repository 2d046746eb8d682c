"""`make bench-gpu` times number formats with and without XLA. Here it does so on the processor, with the smallest work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.gpu", *arguments]
    return subprocess.run(command, cwd=_ROOT, env={**os.environ, "PYTHONPATH": str(_ROOT)}, check=False, capture_output=True, text=True)


@pytest.mark.slow
def test_every_state_is_timed_on_the_processor(tmp_path: Path) -> None:
    small = ["--models", "mobilenet_v2", "--batches", "1", "--filters", "0", "--calls", "1", "--formats", "bfloat16"]
    ended = _run("--device", "CPU:0", *small, "--out", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    measured = json.loads((tmp_path / "gpu.json").read_text("utf-8"))
    assert measured["device"] == "CPU:0"
    states = [(row["format"], row["xla"]) for row in measured["rows"]]
    assert states == [("bfloat16", False), ("bfloat16", True)]
    assert all(row["milliseconds"] > 0 for row in measured["rows"])
    assert "| Grad-CAM | mobilenet_v2 | 1 | " in (tmp_path / "gpu.md").read_text("utf-8")


@pytest.mark.slow
def test_a_machine_without_the_device_is_told_so(tmp_path: Path) -> None:
    ended = _run("--device", "GPU:7", "--out", str(tmp_path))
    assert ended.returncode != 0
    assert "There is no device 'GPU:7' here" in ended.stderr
    assert not list(tmp_path.iterdir())
