"""Stores for the tests of this folder. Each test runs with one shard and with three."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from tests.jobstore.samples import LEASE


@pytest.fixture(params=[1, 3], ids=["1 shard", "3 shards"])
def store_settings(redis_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> StoreSettings:
    return StoreSettings(redis_url=redis_url, data_dir=tmp_path / "data", min_free_disk=0, shards=request.param)


@pytest.fixture
async def make_store(redis_url: str, store_settings: StoreSettings) -> AsyncIterator[Callable[..., JobStore]]:
    """Return a function that makes another store on the same Redis, with changed settings."""
    made: list[JobStore] = []

    def make(**changes: Any) -> JobStore:
        made.append(JobStore.connect(redis_url, store_settings.model_copy(update=changes)))
        return made[-1]

    yield make
    for store in made:
        await store.close()


@pytest.fixture
def short(make_store: Callable[..., JobStore]) -> JobStore:
    """A store whose leases run out soon."""
    return make_store(lease=LEASE)
