"""A fake worker that checks uploaded models: it finds the file as a real one does, and says what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from catalog.entry import CatalogEntry
from catalog.watched_catalog import WatchedCatalog
from jobstore.records import DESCRIBE, Execution
from jobstore.store import JobStore
from schemas.errors import ModelChanged
from schemas.models import PublishedModel
from service.settings import ServiceSettings
from tests.schemas.tiny import LABELS, description
from tests.service.fake_worker import FakeWorker

KERAS = b"PK\x03\x04" + bytes(range(200)) * 9
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(range(200)) * 7


class CheckingWorker(FakeWorker):
    """`seen` are the contents of the files that were checked. `refuses` is why every further file is refused, or None.

    `jobs` are the executions of jobs, which it claims and leaves to the test.
    """

    def __init__(self, store: JobStore, settings: ServiceSettings) -> None:
        self._watched = WatchedCatalog(settings.models_file, settings.models_dir)
        super().__init__(store, self._watched.current())
        self.seen: list[bytes] = []
        self.entries: list[CatalogEntry] = []
        self.refuses: str | None = None
        self.jobs: list[Execution] = []

    async def check(self) -> None:
        """Check every file that is asked about, without an end."""
        await self.live()
        while True:
            execution = await self.claim_or_none()
            if execution is None:
                continue
            if execution.method != DESCRIBE:
                self.jobs.append(execution)
                continue
            try:
                entry = self._watched.entry(execution.model, execution.model_digest)
            except ModelChanged as error:
                await self.fail(execution, "model_changed", error.detail, retryable=True)
                continue
            assert entry.file is not None
            self.entries.append(entry)
            self.seen.append(await asyncio.to_thread(Path.read_bytes, entry.file))
            if self.refuses is not None:
                await self.fail(execution, "model_load_failed", self.refuses)
                continue
            model = description(entry.name, source=entry.source, title=entry.title)
            await self._store.models.publish(PublishedModel(description=model, labels=LABELS, digest=entry.digest))
            await self.complete(execution, (), {})


@asynccontextmanager
async def checking(store: JobStore, settings: ServiceSettings) -> AsyncIterator[CheckingWorker]:
    """Run such a worker."""
    worker = CheckingWorker(store, settings)
    running = asyncio.create_task(worker.check())
    while not await store.workers.alive():
        await asyncio.sleep(0.01)
    yield worker
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def files_in(models_dir: Path) -> set[str]:
    """Return the paths of all files below the models folder, without the file that services lock."""
    found = {str(path.relative_to(models_dir)) for path in models_dir.rglob("*") if path.is_file()}
    return found - {"uploads/.lock"}
