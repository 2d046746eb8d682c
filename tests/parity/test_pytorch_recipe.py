"""The recipe of docs/pytorch.md, run as it stands there: a PyTorch model becomes a file that gives PyTorch's numbers."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch  # pyright: ignore[reportMissingImports] - only the environment of `make test-parity` has it

from catalog.catalog import load_catalog
from workers.models.pool import ModelPool

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "pytorch.md").read_text("utf-8")


class _Flowers(torch.nn.Module):
    """A net with what an export can get wrong: batch normalisation, dropout, a flatten of the batch, and five classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 6, 5, stride=4)
        self.norm = torch.nn.BatchNorm2d(6)
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.5, 2)
        self.dropout = torch.nn.Dropout(0.5)
        self.scores = torch.nn.Linear(6 * 7 * 7, 5)

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        x = torch.nn.functional.max_pool2d(torch.relu(self.norm(self.conv(photo))), 7)[:, :, :7, :7]
        return self.scores(self.dropout(torch.flatten(x, 1)))


def test_the_recipe_gives_the_numbers_of_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(3)
    model = _Flowers()
    (export,) = re.findall(r"^```python\n(.*?)^```", _DOCUMENT, re.MULTILINE | re.DOTALL)
    (settings,) = re.findall(r"^```toml\n(.*?)^```", _DOCUMENT, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's exporter warns of its own parts
        exec(export, {"model": model})  # noqa: S102 - our own document
    (tmp_path / "flowers.toml").write_text(settings, "utf-8")
    (tmp_path / "flowers.txt").write_text("rose\ntulip\ndaisy\nlily\niris\n", "utf-8")
    assert {file.name for file in tmp_path.iterdir()} == {"flowers.onnx", "flowers.toml", "flowers.txt"}

    loaded = ModelPool(load_catalog(tmp_path / "models.toml", tmp_path), 2**30).get("flowers")
    image = np.random.default_rng(5).integers(0, 256, (300, 260, 3), np.uint8)
    tensor, _ = loaded.prepare(image)
    batch = np.stack([tensor, tensor[::-1], tensor[:, ::-1]])
    found = loaded.probe.forward(batch, scores=True)
    assert found.logits is not None
    with torch.no_grad():
        expected = model(torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))).numpy()
    np.testing.assert_allclose(found.logits, expected, rtol=1e-4, atol=1e-4)
    assert np.ptp(expected, axis=0).min() > 1e-3  # the images differ
    description = loaded.published.description
    assert (description.forward_only, description.head, description.input.layout) == (True, "logits", "nchw")
    assert loaded.published.labels[3] == "lily"

    first = image[0, 0]
    plain, _ = loaded.prepare(np.broadcast_to(first, (224, 224, 3)).copy())
    np.testing.assert_allclose(plain[0, 0], (first / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225), atol=1e-5)
