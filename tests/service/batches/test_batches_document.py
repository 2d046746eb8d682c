"""The examples of `docs/batches.md` are run by a real shell and curl."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.schemas.tiny import description
from tests.service.document_examples import check_examples
from tests.service.fake_worker import FakeWorker

_DOCUMENT = (Path(__file__).parents[3] / "docs" / "batches.md").read_text("utf-8")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_every_example_answers_as_the_page_says(url: str, working: FakeWorker, tmp_path: Path) -> None:
    await working.publish(description("efficientnet_lite0"))
    await check_examples(_DOCUMENT, url, tmp_path, 7)
