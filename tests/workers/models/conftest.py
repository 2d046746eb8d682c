"""Fixtures of the models room."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workers.models.counted_folder import CountedFolder


@pytest.fixture
def folder(tmp_path: Path) -> CountedFolder:
    folder = CountedFolder(tmp_path)
    for name in ("a", "b", "c"):
        folder.save(name)
    return folder
