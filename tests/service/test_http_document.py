"""The examples of `docs/http.md` are run by a real shell and curl, and their answers have the lines that the page shows."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from cli.errors_section import PAGE, written
from schemas.events import DoneEvent, PreviewEvent, ProgressEvent, StatusEvent
from tests.schemas.tiny import description
from tests.service.document_examples import check_examples
from tests.service.fake_worker import FakeWorker, png

_DOCUMENT = PAGE.read_text("utf-8")


@pytest.fixture
async def _working(worker: FakeWorker) -> AsyncIterator[None]:
    """Run every job with one step, one preview and the same result."""
    await worker.publish(description("efficientnet_lite0"))

    async def work() -> None:
        while True:
            if execution := await worker.claim_or_none():
                await worker.progress(execution, 1, 2, 0.5, png(3, 2))
                await worker.complete(execution)

    working = asyncio.create_task(work())
    yield
    working.cancel()
    await asyncio.wait([working])


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.usefixtures("_working")
async def test_every_example_answers_as_the_page_says(url: str, tmp_path: Path) -> None:
    await check_examples(_DOCUMENT, url, tmp_path, 8)


@pytest.mark.parametrize(
    ("name", "fields"), [("status", StatusEvent), ("progress", ProgressEvent), ("preview", PreviewEvent), ("done", DoneEvent)]
)
def test_the_page_names_the_fields_of_every_event(name: str, fields: type[BaseModel]) -> None:
    (row,) = re.findall(rf"^\| `{name}` \|.*\|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) - {"data"} == set(fields.model_fields) - {"event", "job_id"}


def test_a_page_without_the_section_is_refused() -> None:
    with pytest.raises(ValueError, match="no section"):
        written("# A page\n")
