"""`convscope demo` as a person runs it: it starts everything, runs four methods through HTTP and Redis, and ends everything."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

_ROOT = Path(__file__).parents[2]
_MARK = "DEMO_OF_THIS_TEST"  # this variable of the environment tells its processes from those of tests that run at the same time
_CAT = _ROOT / "samples" / "cat.jpg"


def _demo(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONVSCOPE_")} | {_MARK: str(out)}
    command = [sys.executable, "-m", "cli.main", "demo", "--image", str(_CAT), "--out", str(out), *arguments]
    return subprocess.run(command, check=False, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=280)


def _left_of(out: Path) -> list[psutil.Process]:
    """Return the processes that the demo for the folder `out` has started and that do not end within ten seconds of its own end."""
    started: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(_MARK) == str(out):
                started.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return psutil.wait_procs(started, timeout=10)[1]


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_the_demo_makes_its_pictures_and_leaves_nothing_running(tmp_path: Path) -> None:
    run = _demo(tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert _left_of(tmp_path) == []

    assert "Egyptian cat" in run.stdout
    assert str(tmp_path / "contact_sheet.png") in run.stdout.replace("\n", "")
    with Image.open(_CAT) as file, Image.open(tmp_path / "grad_cam" / "overlay.png") as annotated:
        photo = file.convert("RGB")
        assert annotated.size == (601, 382)
        overlay = annotated.crop((0, 53, photo.width, 53 + photo.height))  # without the title, the scale and the note
    # The overlay changes a part of the photo, and not all of it.
    difference = np.abs(np.asarray(overlay, np.int16) - np.asarray(photo, np.int16)).max(axis=2)
    assert 0.05 < (difference > 20).mean() < 1

    probabilities = np.load(tmp_path / "predict" / "probabilities.npy", allow_pickle=False)
    assert probabilities.shape == (1000,)
    assert probabilities.argmax() == 285
    images = np.load(tmp_path / "filters" / "images.npy", allow_pickle=False)
    assert images.shape == (16, 128, 128, 3)
    curves = np.load(tmp_path / "filters" / "curves.npy", allow_pickle=False)
    assert curves.shape == (16, 128)
    assert (curves[:, -8:].mean(axis=1) > curves[:, :8].mean(axis=1)).all()
    assert len(list((tmp_path / "activations").glob("grid.*.png"))) == 3
    for picture in tmp_path.rglob("*.png"):
        assert np.asarray(Image.open(io.BytesIO(picture.read_bytes())).convert("L")).std() > 1, f"{picture} has only one grey value"


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_a_demo_of_an_unknown_model_says_why_and_ends_everything(tmp_path: Path) -> None:
    run = _demo(tmp_path, "--model", "efficientnet_lite9")
    assert run.returncode == 1
    assert "unknown_model" in run.stderr
    assert "efficientnet_lite0" in run.stderr  # the nearest name
    assert "Traceback" not in run.stderr
    assert _left_of(tmp_path) == []
