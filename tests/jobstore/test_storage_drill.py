"""A store that is much too small for its jobs does not run full: the small version of `python -m benchmarks.storage_drill`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis

from benchmarks.storage_drill import StoreState, drill
from jobstore.settings import StoreSettings
from jobstore.store import JobStore

STORE = 8 * 2**20  # bytes, room for about 55 results
RECORDS = 150
JOBS = 150  # in each of three rounds


@pytest.mark.parametrize("place", ["1 shard"])
async def test_many_jobs_are_taken_by_a_small_store(make_store: Callable[..., JobStore], store_settings: StoreSettings, redis_url: str):
    store = make_store(shards=1, max_stored_bytes=STORE, max_records_per_owner=RECORDS)
    states: list[StoreState] = []
    with Redis.from_url(redis_url) as redis:
        for first in range(0, 3 * JOBS, JOBS):
            await drill(store, redis, store_settings.data_dir / "files", range(first, first + JOBS))
            await store.sweep()
            states.append(StoreState.of(redis, store_settings.data_dir / "files", first + JOBS))
        records = len(list(redis.scan_iter("*:execution:*")))
    for state in states:
        assert STORE / 2 < state.files <= STORE, "the photos of ended jobs have left some room"
    assert records <= RECORDS + 1
    _, second, third = states
    assert (third.memory - second.memory) / JOBS < 6144, "a job takes at most 6 KB; events of ended jobs stay for a minute"
    assert set(await store.evictions()) == {("result", "bytes"), ("record", "records")}
