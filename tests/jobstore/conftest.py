"""Stores for the tests of this folder. Each test runs with one shard, with three, and with three on a Redis Cluster of three nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from tests.jobstore.samples import LEASE
from tests.redis_servers import ClusterServers, empty_redis


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterServers]:
    with ClusterServers(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(params=["1 shard", "3 shards", pytest.param("cluster", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def redis_url(place: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the address of an empty Redis or cluster; `open_redis` connects to either. At the end, every key must have a time to live."""
    server = request.getfixturevalue("redis_cluster" if place == "cluster" else "redis_server")
    with empty_redis(server.url) as url:
        yield url


@pytest.fixture
def store_settings(redis_url: str, place: str, tmp_path: Path) -> StoreSettings:
    return StoreSettings(redis_url=redis_url, data_dir=tmp_path / "data", min_free_disk=0, shards=1 if place == "1 shard" else 3)


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
async def short(make_store: Callable[..., JobStore]) -> JobStore:
    """A store whose leases run out soon. It has connected, because a cluster's client then reads first which node has which slot."""
    store = make_store(lease=LEASE)
    assert await store.queue.claim("first", "fast", 1, 0.01) == []
    return store
