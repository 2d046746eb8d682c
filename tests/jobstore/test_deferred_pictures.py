"""Pictures that are drawn when they are first fetched: described with the result, kept later, and gone with the result."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from jobstore.records import JobRecord, Submitted
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.artifacts import DeferredPicture
from schemas.errors import Expired, NotFound
from tests.jobstore.samples import PHOTO, result, run_one, submission

PNG = b"\x89PNG heatmap \x00\xff"
HEATMAP = DeferredPicture.of('{"kind":"heatmap","of":["map"]}', name="heatmap", shape=(3, 5, 3), needs_photo=True)


async def submitted(store: JobStore, **changes: object) -> Submitted:
    """Submit a job and end it with a heatmap that is not drawn yet."""
    job = await store.jobs.submit(submission(**changes))
    if not job.job.cached:
        whole = result()
        await run_one(store, result(artifacts=(*whole.artifacts, HEATMAP)))
    return job


def stored_files(settings: StoreSettings) -> list[Path]:
    return [path for path in (settings.data_dir / "files").rglob("*") if path.is_file()]


async def record(store: JobStore, job_id: str) -> JobRecord:
    found = await store.jobs.read(job_id, "ann")
    assert found is not None
    return found


def described(job: JobRecord) -> tuple[str | None, int | None]:
    (heatmap,) = (each for each in job.artifacts if each.name == "heatmap")
    return heatmap.sha256, heatmap.size


async def test_it_is_described_before_it_is_drawn(store: JobStore) -> None:
    job = await record(store, (await submitted(store)).job.id)
    assert described(job) == (None, None)
    assert job.drawings == {"heatmap": {"kind": "heatmap", "of": ["map"]}}
    assert job.image == hashlib.sha256(PHOTO).hexdigest()
    assert "drawings" not in job.model_dump_json()
    assert await store.artifacts.stored(job.id, "ann", "heatmap") is None
    with pytest.raises(Expired):
        await store.artifacts.read(job.id, "ann", "heatmap")


async def test_a_kept_picture_is_described_and_read_by_every_job_of_the_execution(store: JobStore) -> None:
    first, second = [(await submitted(store)).job.id for _ in range(2)]
    await store.artifacts.keep(first, "ann", "heatmap", PNG)
    for job_id in (first, second):
        assert await store.artifacts.stored(job_id, "ann", "heatmap") == PNG
        assert described(await record(store, job_id)) == (hashlib.sha256(PNG).hexdigest(), len(PNG))
    assert await store.artifacts.read(first, "ann", "map") == b"\x01\x02\x03"


async def test_kept_twice_at_once_it_is_stored_once(store: JobStore, store_settings: StoreSettings) -> None:
    job_id = (await submitted(store)).job.id
    await store.sweep()
    before = len(stored_files(store_settings))
    await asyncio.gather(*(store.artifacts.keep(job_id, "ann", "heatmap", PNG) for _ in range(5)))
    assert await store.artifacts.read(job_id, "ann", "heatmap") == PNG
    assert len(stored_files(store_settings)) - before == 1


async def test_it_goes_with_the_job(store: JobStore, store_settings: StoreSettings) -> None:
    job_id = (await submitted(store)).job.id
    await store.artifacts.keep(job_id, "ann", "heatmap", PNG)
    await store.jobs.delete(job_id, "ann")
    with pytest.raises(NotFound):
        await store.artifacts.stored(job_id, "ann", "heatmap")
    with pytest.raises(NotFound):
        await store.artifacts.keep(job_id, "ann", "heatmap", PNG)
    assert stored_files(store_settings) == []


async def test_nothing_is_kept_for_results_that_have_expired(make_store: Callable[..., JobStore]) -> None:
    store = make_store(result_ttl=1)
    job_id = (await submitted(store)).job.id
    await asyncio.sleep(1.1)
    with pytest.raises(Expired):
        await store.artifacts.keep(job_id, "ann", "heatmap", PNG)
    with pytest.raises(Expired):
        await store.artifacts.stored(job_id, "ann", "heatmap")


async def test_the_photo_lives_as_long_as_a_result_that_is_drawn_on_it(store: JobStore, store_settings: StoreSettings) -> None:
    job_id = (await submitted(store)).job.id
    await store.sweep()
    assert await store.images.file(f"img_{hashlib.sha256(PHOTO).hexdigest()}") == PHOTO
    await store.jobs.delete(job_id, "ann")
    assert stored_files(store_settings) == []
