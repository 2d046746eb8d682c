"""Pictures that are drawn when they are first fetched: described with the result, kept later, and gone with the result."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

import pytest
from redis import Redis

from jobstore.records import JobRecord, Submitted
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.artifacts import DeferredPicture
from schemas.errors import Expired, NotFound
from tests.jobstore.samples import PHOTO, result, run_one, submission

PNG = b"\x89PNG heatmap \x00\xff"
HEATMAP = DeferredPicture.of('{"kind":"heatmap","of":["map"]}', name="heatmap", shape=(3, 5, 3), needs_photo=True)


@pytest.fixture(params=["in Redis", "as a file"])
def any_store(request: pytest.FixtureRequest, make_store: Callable[..., JobStore]) -> JobStore:
    return make_store(file_threshold=1000 if request.param == "in Redis" else 4)


async def submitted(store: JobStore, **changes: object) -> Submitted:
    """Submit a job and end it with a heatmap that is not drawn yet."""
    job = await store.jobs.submit(submission(**changes))
    if not job.job.cached:
        whole = result()
        await run_one(store, result(artifacts=(*whole.artifacts, HEATMAP)))
    return job


async def record(store: JobStore, job_id: str) -> JobRecord:
    found = await store.jobs.read(job_id, "ann")
    assert found is not None
    return found


def described(job: JobRecord) -> tuple[str | None, int | None]:
    (heatmap,) = (each for each in job.artifacts if each.name == "heatmap")
    return heatmap.sha256, heatmap.size


async def test_it_is_described_before_it_is_drawn(any_store: JobStore) -> None:
    job = await record(any_store, (await submitted(any_store)).job.id)
    assert described(job) == (None, None)
    assert job.drawings == {"heatmap": {"kind": "heatmap", "of": ["map"]}}
    assert job.image == hashlib.sha256(PHOTO).hexdigest()
    assert "drawings" not in job.model_dump_json()
    assert await any_store.artifacts.stored(job.id, "ann", "heatmap") is None
    with pytest.raises(Expired):
        await any_store.artifacts.read(job.id, "ann", "heatmap")


async def test_a_kept_picture_is_described_and_read_by_every_job_of_the_execution(any_store: JobStore) -> None:
    first, second = [(await submitted(any_store)).job.id for _ in range(2)]
    await any_store.artifacts.keep(first, "ann", "heatmap", PNG)
    for job_id in (first, second):
        assert await any_store.artifacts.stored(job_id, "ann", "heatmap") == PNG
        assert described(await record(any_store, job_id)) == (hashlib.sha256(PNG).hexdigest(), len(PNG))
    assert await any_store.artifacts.read(first, "ann", "map") == b"\x01\x02\x03"


async def test_kept_twice_at_once_it_is_stored_once(any_store: JobStore, store_settings: StoreSettings) -> None:
    job_id = (await submitted(any_store)).job.id
    before = len(list((store_settings.data_dir / "files").glob("*")))
    await asyncio.gather(*(any_store.artifacts.keep(job_id, "ann", "heatmap", PNG) for _ in range(5)))
    assert await any_store.artifacts.read(job_id, "ann", "heatmap") == PNG
    as_file = any_store.artifacts._connection.settings.file_threshold < len(PNG)
    assert len(list((store_settings.data_dir / "files").glob("*"))) - before == as_file


async def test_it_goes_with_the_job(any_store: JobStore, store_settings: StoreSettings) -> None:
    job_id = (await submitted(any_store)).job.id
    await any_store.artifacts.keep(job_id, "ann", "heatmap", PNG)
    await any_store.jobs.delete(job_id, "ann")
    with pytest.raises(NotFound):
        await any_store.artifacts.stored(job_id, "ann", "heatmap")
    with pytest.raises(NotFound):
        await any_store.artifacts.keep(job_id, "ann", "heatmap", PNG)
    assert [path for path in (store_settings.data_dir / "files").glob("*") if path.read_bytes() == PNG] == []


async def test_nothing_is_kept_for_results_that_have_expired(make_store: Callable[..., JobStore]) -> None:
    store = make_store(result_ttl=1)
    job_id = (await submitted(store)).job.id
    await asyncio.sleep(1.1)
    with pytest.raises(Expired):
        await store.artifacts.keep(job_id, "ann", "heatmap", PNG)
    with pytest.raises(Expired):
        await store.artifacts.stored(job_id, "ann", "heatmap")


async def test_the_photo_lives_as_long_as_a_result_that_is_drawn_on_it(store: JobStore, redis_url: str) -> None:
    await store.jobs.submit(submission())
    digest = hashlib.sha256(PHOTO).hexdigest()
    with Redis.from_url(redis_url) as redis:
        (name,) = redis.scan_iter(f"*image:{digest}")
        redis.pexpire(name, 60_000)
        await run_one(store, result(artifacts=(*result().artifacts, HEATMAP)))
        assert redis.pttl(name) > 60_000
    assert await store.images.file(f"img_{digest}") == PHOTO
