"""The calls in the guides are run by a real shell with curl, against the service and a real worker, and each picture has some contrast."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.temporary_stack import temporary_stack

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.skipif(not shutil.which("curl"), reason="no curl")]
ROOT = Path(__file__).parents[2]
GUIDES = ("index.md", "why.md", "inside.md", "teaching.md")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with temporary_stack("guides") as stack:
        yield stack.url.removeprefix("http://")


@pytest.mark.parametrize("guide", GUIDES)
def test_every_call_gives_its_picture(guide: str, address: str, tmp_path: Path) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", (ROOT / "docs" / guide).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    calls = [block for block in blocks if "curl " in block]
    assert calls
    for call in calls:
        script = call.replace("make serve\n", "").replace("localhost:8000", address).replace("curl ", "curl -sS --fail-with-body ")
        run = subprocess.run(["bash", "-e", "-c", script], check=False, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, f"{call}\n{run.stdout}{run.stderr}"
        for name in re.findall(r"-o (\S+\.png)", call):
            assert np.ptp(np.asarray(Image.open(tmp_path / name).convert("L"))) > 50, f"{name} has no contrast"
