"""A panel keeps its pictures epoch by epoch, and a training goes on when a picture fails."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PIL import Image

from convscope import Client
from convscope.training_panel import TrainingPanel
from tests.service.fake_worker import FakeWorker, png

pytestmark = pytest.mark.slow


async def test_a_picture_that_fails_is_missing_and_the_others_are_there(url: str, working: FakeWorker, tmp_path: Path) -> None:
    def train() -> None:
        with Client(url) as client:
            panel = TrainingPanel(client, [png(), b"no image"], ["grad_cam"], tmp_path / "panel")
            for epoch in (1, 2):
                with pytest.warns(UserWarning, match=f"no picture grad_cam-1 of epoch {epoch}: unsupported_format"):
                    panel.add_epoch(epoch, "vgg16")

    await asyncio.to_thread(train)
    assert {path.name for path in (tmp_path / "panel").iterdir()} == {
        "grad_cam-0-epoch-0001.png",
        "grad_cam-0-epoch-0002.png",
        "grad_cam-0.webp",
    }
    folder = tmp_path / "panel"
    with Image.open(folder / "grad_cam-0.webp") as animation, Image.open(folder / "grad_cam-0-epoch-0001.png") as picture:
        assert animation.size == picture.size


def test_a_panel_without_methods_is_refused(tmp_path: Path) -> None:
    with Client("http://localhost:1") as client, pytest.raises(ValueError, match="at least one method"):
        TrainingPanel(client, [], [], tmp_path)
