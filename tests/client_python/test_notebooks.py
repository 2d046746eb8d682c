"""The notebooks of `docs/notebooks` run from the first cell to the last, and show what they promise."""

from __future__ import annotations

import asyncio
import base64
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.client_python.conftest import WholeService

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Jupyter's packages warn of their own future
    import nbformat
    from nbclient import NotebookClient

_ROOT = Path(__file__).parents[2]
_NOTEBOOKS = _ROOT / "docs" / "notebooks"
pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def executed(whole_service: WholeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a notebook in an empty folder and returns its outputs: all texts, and the types of all pictures.

    The pictures are also written to the folder.
    """
    monkeypatch.setenv("CONVSCOPE_URL", whole_service.url)
    monkeypatch.setenv("CONVSCOPE_MODELS_DIR", str(whole_service.models))
    monkeypatch.setenv("CONVSCOPE_PHOTO", str(_ROOT / "samples" / "cat.jpg"))

    def run(name: str) -> tuple[str, list[str]]:
        notebook = nbformat.read(_NOTEBOOKS / name, as_version=4)
        client = NotebookClient(notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}})
        asyncio.run(client.async_execute())
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        texts = [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs]
        for number, output in enumerate(output for output in outputs if "image/png" in output.get("data", {})):
            (tmp_path / f"output-{number}.png").write_bytes(base64.b64decode(output["data"]["image/png"]))
        return "\n".join(texts), [kind for output in outputs for kind in output.get("data", {}) if kind.startswith("image/")]

    return run


def durations(path: Path) -> list[int]:
    """Return the milliseconds of each frame of an animation."""
    found: list[int] = []
    with Image.open(path) as animation:
        for frame in range(animation.n_frames):
            animation.seek(frame)
            animation.load()
            found.append(animation.info["duration"])
    return found


def test_the_first_grad_cam_of_an_own_model(executed: Any) -> None:
    text, pictures = executed("first-grad-cam.ipynb")
    accuracy = re.search(r"accuracy ([\d.]+)", text)
    assert accuracy
    assert float(accuracy[1]) > 0.9
    assert "'shapes'" in text
    assert re.search(r"^(lying|standing) bar [\d.]+$", text, re.MULTILINE)
    assert pictures == ["image/png", "image/png"]


def test_a_whole_folder(executed: Any) -> None:
    text, pictures = executed("a-whole-folder.ipynb")
    assert len(re.findall(r"^cat-\d\.jpg: .*\d\.\d\d$", text, re.MULTILINE)) == 6
    assert "damaged.jpg: unsupported_format" in text
    assert "'succeeded': 6, 'failed': 1" in text
    assert "failed: ['damaged']" in text
    assert "image/png" in pictures


def test_a_panel_over_a_training(executed: Any, tmp_path: Path, whole_service: WholeService) -> None:
    text, _ = executed("training-panel.ipynb")
    assert "['grad_cam-0.webp', 'grad_cam-1.webp', 'weights.webp']" in text
    for name in ("grad_cam-0", "grad_cam-1", "weights"):
        # WebP makes a frame longer in place of a second one that is equal.
        assert sum(durations(tmp_path / "panel" / f"{name}.webp")) == 4 * 500
    pictures = [(tmp_path / "panel" / f"weights-epoch-000{epoch}.png").read_bytes() for epoch in range(1, 5)]
    assert len(set(pictures)) == 4, "each epoch has a network of its own"
    assert not list(whole_service.models.glob("bars-training*")), "checkpoints are deleted when their pictures are there"
