"""Give the tests a real Redis, and check that no key in it lives for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from tests.redis_servers import empty_redis
from tests.typechecking import check_annotations

check_annotations()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """Run one Redis for all tests. Tests use `redis_url` instead, which empties it first."""
    with EmbeddedRedis.start(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> Iterator[str]:
    """Return the URL of an empty Redis. After the test, every key must have a time to live."""
    with empty_redis(redis_server.url) as url:
        yield url


@pytest.fixture
def store_settings(redis_url: str, tmp_path: Path) -> StoreSettings:
    return StoreSettings(redis_url=redis_url, data_dir=tmp_path / "data", models_dir=tmp_path / "models", min_free_disk=0)


@pytest.fixture
async def store(redis_url: str, store_settings: StoreSettings) -> AsyncIterator[JobStore]:
    store = JobStore.connect(redis_url, store_settings)
    yield store
    await store.close()
