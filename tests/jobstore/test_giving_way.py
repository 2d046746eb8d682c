"""The oldest results, uploads, pieces and records give way when there is no room. Jobs that wait or run never do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis import Redis

from jobstore import files as stored_files
from jobstore.files import digest_of
from jobstore.keys import shard_of
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from schemas.errors import Expired, StorageFull
from schemas.jobs import JobState
from tests.jobstore.samples import PHOTO, claim_one, result, run_one, state_of, submission

ARTIFACTS = 1000  # bytes of the artifacts of each result here


async def finished(store: JobStore, number: int) -> str:
    """Run a job without a photo whose artifacts have `ARTIFACTS` bytes that no other job has, and return its id."""
    job = (await store.jobs.submit(submission(number, image=None))).job
    unique = number.to_bytes(4, "big")
    await run_one(store, result(unique * ((ARTIFACTS - 3) // 4) + b"." * ((ARTIFACTS - 3) % 4)))
    return job.id


async def states(store: JobStore, job_ids: list[str]) -> list[JobState | None]:
    return [await state_of(store, job_id) for job_id in job_ids]


async def test_the_oldest_result_gives_way_to_a_new_one(make_store: Callable[..., JobStore]):
    store = make_store(shards=1, max_stored_bytes=3 * ARTIFACTS)
    job_ids = [await finished(store, number) for number in range(4)]
    assert await states(store, job_ids) == [JobState.EXPIRED, *[JobState.SUCCEEDED] * 3]
    with pytest.raises(Expired, match="gave way to newer ones"):
        await store.artifacts.read(job_ids[0], "ann", "map")
    first = await store.jobs.read(job_ids[0], "ann")
    assert first is not None
    assert (first.method, first.params, first.artifacts, first.facts) == ("grad_cam", {"class_index": 0}, (), None)
    assert await store.artifacts.read(job_ids[1], "ann", "map") == b"\x01\x02\x03"
    assert await store.evictions() == {("result", "bytes"): 1}
    again = (await store.jobs.submit(submission(0, image=None))).job
    assert (again.cached, again.state) == (False, JobState.QUEUED)


async def test_a_result_that_was_used_again_stays_longer(make_store: Callable[..., JobStore]):
    store = make_store(shards=1, max_stored_bytes=2 * ARTIFACTS)
    first, second = [await finished(store, number) for number in range(2)]
    await asyncio.sleep(0.01)
    assert (await store.jobs.submit(submission(0, image=None))).job.cached
    await finished(store, 2)
    assert await states(store, [first, second]) == [JobState.SUCCEEDED, JobState.EXPIRED]


async def test_the_files_of_what_gave_way_are_deleted(make_store: Callable[..., JobStore], store_settings: StoreSettings):
    store = make_store(shards=1, max_stored_bytes=2 * ARTIFACTS)
    for number in range(5):
        await finished(store, number)
    await store.sweep()
    sizes = [path.stat().st_size for path in (store_settings.data_dir / "files").rglob("*") if path.is_file()]
    assert sorted(sizes) == [3, ARTIFACTS - 3, ARTIFACTS - 3]


async def test_uploads_give_way_oldest_unused_first(make_store: Callable[..., JobStore]):
    store = make_store(shards=1, max_stored_bytes=3 * len(PHOTO))
    ids = [(await store.images.put("ann", PHOTO[:-1] + bytes([number]), "PNG", 16, 80)).id for number in range(3)]
    await asyncio.sleep(0.01)
    await store.images.keep("ann", [ids[0]])
    await store.images.put("ann", PHOTO[:-1] + b"x", "PNG", 16, 80)
    assert [image is not None for image in await store.images.keep("ann", ids)] == [True, False, True]
    assert await store.evictions() == {("upload", "bytes"): 1}


async def test_only_waiting_and_running_work_can_fill_the_store(make_store: Callable[..., JobStore]):
    store = make_store(shards=1, max_stored_bytes=3 * len(PHOTO))
    running = (await store.jobs.submit(submission(0, image=PHOTO[:-1] + b"0"))).job
    execution = await claim_one(store)
    upload = await store.images.put("ann", PHOTO[:-1] + b"u", "PNG", 16, 80)
    waiting = (await store.jobs.submit(submission(1, image=None, image_id=upload.id))).job
    await store.jobs.submit(submission(2, image=PHOTO[:-1] + b"2"))
    with pytest.raises(StorageFull, match="Waiting and running jobs take") as refused:
        await store.jobs.submit(submission(3, image=PHOTO[:-1] + b"3"))
    assert refused.value.retry_after is not None
    assert await states(store, [running.id, waiting.id]) == [JobState.RUNNING, JobState.QUEUED]
    assert await store.images.keep("ann", [upload.id]) == [None], "the upload has given way, but not the file that a job waits for"
    assert await store.images.file_of(execution) == PHOTO[:-1] + b"0"
    assert await store.images.file_of(await claim_one(store)) == PHOTO[:-1] + b"u"


async def test_the_error_names_the_share_of_one_shard(make_store: Callable[..., JobStore]):
    store = make_store(shards=3, max_stored_bytes=3 * len(PHOTO))
    photos = [PHOTO[:-1] + bytes([number]) for number in range(20)]
    first, second, *_ = (photo for photo in photos if shard_of(digest_of(photo), 3) == 0)
    await store.jobs.submit(submission(0, image=first))
    with pytest.raises(StorageFull, match=f"{len(PHOTO):,} of {len(PHOTO):,} bytes of stored files of one of 3 shards") as refused:
        await store.jobs.submit(submission(1, image=second))
    assert refused.value.allowed == f"{len(PHOTO)} bytes"


async def test_a_result_that_does_not_fit_leaves_its_job_running(make_store: Callable[..., JobStore], store_settings: StoreSettings):
    store = make_store(shards=1, max_stored_bytes=len(PHOTO) + 100)
    job = (await store.jobs.submit(submission(1))).job
    execution = await claim_one(store)
    with pytest.raises(StorageFull):
        await store.queue.complete(execution, result(b"y" * 101))
    assert await state_of(store, job.id) is JobState.RUNNING
    assert len([path for path in (store_settings.data_dir / "files").rglob("*") if path.is_file()]) == 1
    assert await store.queue.complete(execution, result(b"y" * 97))
    assert await store.artifacts.read(job.id, "ann", "overlay") == b"y" * 97


async def test_an_owner_has_so_many_records(make_store: Callable[..., JobStore]):
    store = make_store(shards=1, max_records_per_owner=3)
    waiting = (await store.jobs.submit(submission(100, image=None, lane="slow"))).job.id
    of_bob = (await store.jobs.submit(submission(101, image=None, lane="slow", owner="bob"))).job.id
    job_ids = [await finished(store, number) for number in range(4)]
    kept, _ = await store.jobs.page("ann")
    assert [job.id for job in kept] == [job_ids[3], job_ids[2], waiting], "what waits is passed over"
    assert await store.jobs.read(job_ids[0], "ann") is None
    assert await state_of(store, of_bob, "bob") is JobState.QUEUED
    assert await store.evictions() == {("record", "records"): 2}


async def test_a_full_disk_makes_results_give_way(
    make_store: Callable[..., JobStore], store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
):
    """The disk here has 4,000 bytes, and the files in the folder take some of them."""
    store = make_store(shards=1, min_free_disk=500)
    folder = store_settings.data_dir / "files"

    def usage(_: str) -> tuple[int, int, int]:
        used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return 4000, used, 4000 - used

    monkeypatch.setattr(stored_files.shutil, "disk_usage", lambda path: DiskUsage(*usage(path)))
    job_ids = [await finished(store, number) for number in range(6)]
    assert (await states(store, job_ids))[-3:] == [JobState.SUCCEEDED] * 3
    assert (await states(store, job_ids))[:3] == [JobState.EXPIRED] * 3
    assert (await store.evictions())["result", "disk"] == 3


class DiskUsage(tuple[int, int, int]):
    """The answer of `shutil.disk_usage`."""

    def __new__(cls, total: int, used: int, free: int) -> DiskUsage:
        return super().__new__(cls, (total, used, free))

    @property
    def free(self) -> int:
        return self[2]


async def test_some_disk_is_kept_free(make_store: Callable[..., JobStore], store_settings: StoreSettings):
    store = make_store(min_free_disk=10**18)
    with pytest.raises(StorageFull, match="are free"):
        await store.jobs.submit(submission(1))
    assert [path for path in (store_settings.data_dir / "files").rglob("*") if path.is_file()] == []
    assert await store.queue.claim("w1", "fast", 1, 0) == []
    assert await make_store(max_stored_bytes=3 * len(PHOTO)).jobs.submit(submission(1)), "the refused file is not counted"


@pytest.fixture
async def small_redis(tmp_path: Path) -> AsyncIterator[tuple[JobStore, Redis]]:
    """Yield a store on a Redis of its own with 8 MiB of memory, which convscope's keys fill."""
    with EmbeddedRedis.start(tmp_path, max_memory=8 * 2**20) as server, Redis.from_url(server.url) as redis:
        store = JobStore.connect(server.url, StoreSettings(data_dir=tmp_path, min_free_disk=0, max_queued_per_caller=10_000))
        yield store, redis
        await store.close()


async def test_old_records_give_way_when_redis_is_full(small_redis: tuple[JobStore, Redis]):
    store, redis = small_redis
    waiting = (await store.jobs.submit(submission(10_000, lane="slow"))).job.id
    filler = "x" * 20_000
    newest = ""
    for number in range(600):  # 12 MB in all
        newest = (await store.jobs.submit(submission(number, image=None, params=f'{{"text":"{number}{filler}"}}'))).job.id
        await run_one(store)
    assert redis.info("memory")["used_memory"] < 8 * 2**20
    assert await state_of(store, newest) is JobState.SUCCEEDED
    assert await state_of(store, waiting) is JobState.QUEUED
    given_way = await store.evictions()
    assert given_way["record", "memory"] > 100
    assert {reason for _, reason in given_way} == {"memory"}
