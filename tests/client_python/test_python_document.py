"""The programs of `docs/python.md` run as a reader would run them, one after the other, against the whole service."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.client_python.conftest import WholeService

_ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(240)
def test_the_programs_of_the_document_run(tmp_path: Path, whole_service: WholeService) -> None:
    programs = re.findall(r"^```python\n(.*?)^```", (_ROOT / "docs" / "python.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(programs) >= 8
    (tmp_path / "samples").mkdir()
    shutil.copy(_ROOT / "samples" / "cat.jpg", tmp_path / "samples")
    text = "\n".join(programs).replace("http://localhost:8000", whole_service.url)
    command = [sys.executable, "-W", "error", "-c", text]
    run = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=180)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[0] == "(7, 7) Egyptian cat"
    assert any(line.startswith("no such file.jpg failed: ") for line in lines)
    assert "samples/cat.jpg Egyptian cat" in lines
    assert "unknown_layer ['head_relu'" in run.stdout
    assert lines[-1] == "(601, 382)"
    for written in ("overlay.png", "out/cat/heatmap.png"):
        with Image.open(tmp_path / written) as picture:
            assert picture.size == (601, 382)
    assert (tmp_path / "out" / "cat" / "map.npy").exists()
