"""The listener: many waiting callers share at most two blocking reads of each shard, and wait on while Redis is away."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from jobstore import job_events, listener
from jobstore.keys import shard_of
from jobstore.listener import JobWatch
from jobstore.redis_address import read_address
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from schemas.errors import BrokerUnavailable
from schemas.jobs import JobState
from tests.jobstore.samples import claim_one, heard, result, run_one, submission
from tests.redis_servers import clients_of, open_redis
from tests.wait import until


def nodes_of(url: str) -> int:
    return len(read_address(url).hosts)


def blocked_reads(url: str) -> int:
    return clients_of(url)["blocked_clients"]


async def test_many_waiting_callers_take_two_reads_for_each_shard(store: JobStore, redis_url: str, store_settings: StoreSettings):
    before = clients_of(redis_url)["connected_clients"]
    jobs = [(await store.jobs.submit(submission(number, image=bytes([number]) * 1500))).job for number in range(9)]
    assert len({shard_of(job.id, store_settings.shards) for job in jobs}) == store_settings.shards
    waiting = [asyncio.create_task(store.jobs.wait(job.id, "ann", 60)) for job in jobs for _ in range(20)]
    following = [asyncio.create_task(heard(store.jobs.events(job.id, "ann"))) for job in jobs for _ in range(5)]
    await until(lambda: store.listener.watches == 225)
    await until(lambda: blocked_reads(redis_url) == 2 * store_settings.shards)
    new = clients_of(redis_url)["connected_clients"] - before
    assert new <= store_settings.redis_connections * nodes_of(redis_url) + 2 * store_settings.shards + 2
    assert not any(task.done() for task in (*waiting, *following))
    for execution in await store.queue.claim("w1", "fast", 9, 0):
        await store.queue.complete(execution, result())
    ended = await asyncio.wait_for(asyncio.gather(*waiting), 20)
    assert [each.id for each in ended if each is not None] == [job.id for job in jobs for _ in range(20)]
    assert {each.state for each in ended if each is not None} == {JobState.SUCCEEDED}
    for events in await asyncio.wait_for(asyncio.gather(*following), 20):
        assert [(sequence, kind) for sequence, kind, _ in events] == [(1, "status"), (2, "status"), (3, "done")]
    assert store.listener.watches == 0


async def test_commands_queue_for_a_connection(make_store: Callable[..., JobStore], redis_url: str):
    store = make_store(redis_connections=2)
    before = clients_of(redis_url)["connected_clients"]
    job = (await store.jobs.submit(submission(1))).job
    found = await asyncio.gather(*(store.jobs.read(job.id, "ann") for _ in range(200)))
    assert {each.id for each in found if each is not None} == {job.id}
    assert len(found) == 200
    # A cluster's client keeps one more, through which it has read which node has which slot.
    assert clients_of(redis_url)["connected_clients"] - before <= 2 * nodes_of(redis_url) + 1


@pytest.mark.slow
async def test_only_a_command_that_waits_too_long_for_a_connection_fails(make_store: Callable[..., JobStore], redis_url: str):
    store = make_store(redis_connections=1)
    with open_redis(redis_url) as redis:
        redis.client_pause(7000)
        began = asyncio.get_running_loop().time()
        outcomes = await asyncio.gather(store.ping(), store.ping(), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {BrokerUnavailable}
        assert asyncio.get_running_loop().time() - began < 6.5
        redis.client_unpause()
    await store.ping()


async def test_a_watch_is_woken_by_its_own_job_only(store: JobStore, redis_url: str):
    mine, other = [(await store.jobs.submit(submission(number))).job for number in (1, 2)]
    with store.listener.watch(mine.id) as every, store.listener.watch(mine.id, only_end=True) as end:
        await until(lambda: blocked_reads(redis_url) == 2)
        assert await every.woken(10)  # the listener has started, so announcements may have been missed before
        assert await end.woken(10)
        await until_quiet(every)  # it is woken for each of the two reads
        by_id = {}
        for execution in await store.queue.claim("w1", "fast", 2, 0):
            by_id[execution.key] = execution
        assert await every.woken(10)
        await store.queue.progress(by_id[mine.id], 1, 2)
        assert await every.woken(10)
        await store.queue.complete(by_id[other.id], result())
        assert not await every.woken(0.2)
        assert not await end.woken(0.2)
        await store.queue.complete(by_id[mine.id], result())
        assert await every.woken(10)
        assert await end.woken(10)


async def test_only_ends_are_read_while_nobody_follows_a_job(store: JobStore, redis_url: str, store_settings: StoreSettings):
    """The second read begins with the first caller who follows a job, and is over some seconds after the last one."""
    job = (await store.jobs.submit(submission(1))).job
    with store.listener.watch(job.id, only_end=True) as end:
        await until(lambda: blocked_reads(redis_url) == 1)
        assert await end.woken(10)
        execution = await claim_one(store)
        with store.listener.watch(job.id) as follower:
            await until(lambda: blocked_reads(redis_url) == 2)
            assert await follower.woken(10)
            await store.queue.progress(execution, 1, 2)
            assert await follower.woken(10)
        await until(lambda: blocked_reads(redis_url) == 1, seconds=20)
        with store.listener.watch(job.id) as follower:
            await until(lambda: blocked_reads(redis_url) == 2)
            await store.queue.progress(execution, 2, 2)
            assert await follower.woken(10)
            assert not await end.woken(0)
            await store.queue.complete(execution, result())
            assert await follower.woken(10)
            assert await end.woken(10)


async def test_a_worker_of_an_earlier_version_wakes_followers(store: JobStore, redis_url: str) -> None:
    """Such a worker announces all events in one stream."""
    job = (await store.jobs.submit(submission(1))).job
    with store.listener.watch(job.id) as follower, store.listener.watch(job.id, only_end=True) as end:
        await until(lambda: blocked_reads(redis_url) == 2)
        assert await follower.woken(10)
        assert await end.woken(10)
        await until_quiet(follower)
        with open_redis(redis_url) as redis:
            stream = f"convscope:{{{store._connection.shard_of(job.id)}}}:announcements:all"
            redis.xadd(stream, {"job": job.id, "type": "status"})
            assert await follower.woken(10)
            assert not await end.woken(0)
            redis.xadd(stream, {"job": job.id, "type": "done"})
            assert await end.woken(10)


async def until_quiet(watch: JobWatch) -> None:
    """Return when a watch has not been woken for a moment."""
    while await watch.woken(0.2):
        pass


async def test_announcements_that_were_dropped_unread_wake_everybody(make_store: Callable[..., JobStore], monkeypatch: pytest.MonkeyPatch):
    """A full reply may hide a gap. A reply of one entry counts as full here, so that each announcement of a stranger's job does."""
    monkeypatch.setattr(listener, "MAX_EVENTS", 1)
    store = make_store(shards=1)
    mine = (await store.jobs.submit(submission(1))).job
    with store.listener.watch(mine.id, only_end=True) as watch:
        assert await watch.woken(10)
        await run_one(store)
        assert await watch.woken(10)


async def test_a_caller_who_gives_up_leaves_nothing_behind(store: JobStore):
    job = (await store.jobs.submit(submission(1))).job
    waiting = asyncio.create_task(store.jobs.wait(job.id, "ann", 60))
    events = store.jobs.events(job.id, "ann")
    assert await anext(events) is not None
    await until(lambda: store.listener.watches == 2)
    waiting.cancel()
    del events
    gc.collect()
    await until(lambda: store.listener.watches == 0)


async def test_waits_go_on_while_redis_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(job_events, "CHECK_EVERY", 600)  # so that only the listener can wake
    settings = StoreSettings(data_dir=tmp_path, min_free_disk=0)
    server = await asyncio.to_thread(EmbeddedRedis.start, tmp_path, appendfsync="always")
    store = JobStore.connect(server.url, settings)
    jobs = [(await store.jobs.submit(submission(number))).job for number in range(3)]
    waiting = [asyncio.create_task(store.jobs.wait(job.id, "ann", 120)) for job in jobs]
    following = [asyncio.create_task(heard(store.jobs.events(job.id, "ann"))) for job in jobs]
    await until(lambda: store.listener.watches == 6)
    await until(lambda: blocked_reads(server.url) == 2)
    for ended_before in range(2):
        await asyncio.to_thread(server.kill)
        with pytest.raises(BrokerUnavailable):
            await store.ping()
        server = await asyncio.to_thread(EmbeddedRedis.start, tmp_path, appendfsync="always")
        await until(lambda url=server.url: blocked_reads(url) == 2)
        # A caller whose read failed reads again half a second later.
        await until(lambda n=ended_before: sum(task.done() for task in waiting) == sum(task.done() for task in following) == n)
        await run_one(store)
    await store.queue.complete(await claim_one(store), result())
    ended = await asyncio.wait_for(asyncio.gather(*waiting), 20)
    assert [each.state for each in ended if each is not None] == [JobState.SUCCEEDED] * 3
    for events in await asyncio.wait_for(asyncio.gather(*following), 20):
        assert [kind for _, kind, _ in events] == ["status", "status", "done"]
    await store.close()
    server.stop()


async def test_a_wait_whose_time_is_up_while_redis_is_away_says_so(tmp_path: Path):
    server = await asyncio.to_thread(EmbeddedRedis.start, tmp_path)
    store = JobStore.connect(server.url, StoreSettings(data_dir=tmp_path, min_free_disk=0))
    job = (await store.jobs.submit(submission(1))).job
    waiting = asyncio.create_task(store.jobs.wait(job.id, "ann", 1.5))
    await until(lambda: store.listener.watches == 1 and blocked_reads(server.url) == 1)
    await asyncio.to_thread(server.kill)
    with pytest.raises(BrokerUnavailable):
        await asyncio.wait_for(waiting, 20)
    await store.close()
