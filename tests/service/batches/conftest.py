from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from service.batches.feeder import BatchFeeder
from service.dependencies import services_of
from tests.service.fake_worker import FakeWorker


@pytest.fixture
async def feeder(app: FastAPI) -> AsyncIterator[BatchFeeder]:
    """Feed batches, as the lifespan of a served application does."""
    feeder = BatchFeeder(services_of(app))
    feeder.start()
    yield feeder
    await feeder.close()


@pytest.fixture
async def working(worker: FakeWorker) -> AsyncIterator[FakeWorker]:
    """Return the worker, which completes every fast job at once."""

    async def work() -> None:
        while True:
            if execution := await worker.claim_or_none():
                await worker.complete(execution)

    task = asyncio.create_task(work())
    yield worker
    task.cancel()
