"""Stored files: large images and artifacts, the account of their bytes, and sweeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from ulid import ULID

from jobstore.files import ORPHAN_AGE
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.errors import BrokerUnavailable, CallerLimit, Expired, StorageFull
from schemas.jobs import JobState
from tests.jobstore.samples import PHOTO, claim_one, result, run_one, submission
from tests.wait import until

LARGE = bytes(range(256)) * 9


@pytest.fixture
def folder(store_settings: StoreSettings) -> Path:
    return store_settings.data_dir / "files"


@pytest.fixture
def small_limit(make_store: Callable[..., JobStore]) -> JobStore:
    """A store that writes content above 1,000 bytes to files."""
    return make_store(file_threshold=1000)


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


async def test_a_large_image_is_a_file_once(small_limit: JobStore, folder: Path):
    await small_limit.jobs.submit(submission(1))
    await small_limit.jobs.submit(submission(2))
    await small_limit.images.put("ann", PHOTO, "PNG", 16, 80)
    [file] = files(folder)
    assert file.read_bytes() == PHOTO
    for execution in await small_limit.queue.claim("w1", "fast", 5, 0):
        assert await small_limit.images.file_of(execution) == PHOTO


async def test_a_small_image_makes_no_file(small_limit: JobStore, folder: Path):
    await small_limit.jobs.submit(submission(1, image=PHOTO[:1000]))
    assert files(folder) == []
    assert await small_limit.images.file_of(await claim_one(small_limit)) == PHOTO[:1000]


async def test_equal_images_sent_at_once_leave_one_file(small_limit: JobStore, folder: Path):
    await asyncio.gather(*(small_limit.jobs.submit(submission(number)) for number in range(10)))
    assert len(files(folder)) == 1


async def test_a_refused_submission_leaves_no_file(make_store: Callable[..., JobStore], folder: Path):
    store = make_store(file_threshold=1000, max_queued_per_caller=1)
    await store.jobs.submit(submission(1, image=None))
    outcomes = await asyncio.gather(*(store.jobs.submit(submission(number)) for number in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [CallerLimit] * 3
    assert files(folder) == []


async def test_a_large_artifact_is_a_file(small_limit: JobStore, folder: Path):
    job = (await small_limit.jobs.submit(submission(1, image=None))).job
    await run_one(small_limit, result(LARGE))
    [file] = files(folder)
    assert file.read_bytes() == LARGE
    assert await small_limit.artifacts.read(job.id, "ann", "overlay") == LARGE
    assert await small_limit.artifacts.read(job.id, "ann", "map") == b"\x01\x02\x03"
    await small_limit.jobs.delete(job.id, "ann")
    assert files(folder) == []


async def test_refused_results_leave_no_file(small_limit: JobStore, folder: Path):
    job = (await small_limit.jobs.submit(submission(1, image=None))).job
    execution = await claim_one(small_limit)
    await small_limit.jobs.cancel(job.id, "ann")
    assert not await small_limit.queue.complete(execution, result(LARGE))
    assert files(folder) == []


async def test_results_written_before_their_answer_was_lost_stay(small_limit: JobStore, folder: Path, monkeypatch: pytest.MonkeyPatch):
    job = (await small_limit.jobs.submit(submission(1, image=None))).job
    execution = await claim_one(small_limit)
    script = small_limit._connection.script

    async def lost(*arguments: object, **named: object) -> object:
        await script(*arguments, **named)  # type: ignore[arg-type]
        raise BrokerUnavailable("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(small_limit._connection, "script", lost)
        with pytest.raises(BrokerUnavailable):
            await small_limit.queue.complete(execution, result(LARGE))
    assert await small_limit.queue.complete(execution, result(LARGE))
    assert await small_limit.artifacts.read(job.id, "ann", "overlay") == LARGE
    assert len(files(folder)) == 1


async def test_an_image_stored_before_the_answer_was_lost_stays(small_limit: JobStore, monkeypatch: pytest.MonkeyPatch):
    script = small_limit._connection.script
    given = submission(1, idempotency_key="k", body_digest="d")

    async def lost(*arguments: object, **named: object) -> object:
        answer = await script(*arguments, **named)  # type: ignore[arg-type]
        if named.get("image_field") == "file":
            raise BrokerUnavailable("cut off")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(small_limit._connection, "script", lost)
        with pytest.raises(BrokerUnavailable):
            await small_limit.jobs.submit(given)
    await small_limit.jobs.submit(given)
    assert await small_limit.images.file_of(await claim_one(small_limit)) == PHOTO


async def test_a_file_that_is_gone_or_incomplete_counts_as_expired(small_limit: JobStore, folder: Path):
    job = (await small_limit.jobs.submit(submission(1, image=None))).job
    await run_one(small_limit, result(LARGE))
    [file] = files(folder)
    write(file, LARGE[:-1])
    with pytest.raises(Expired):
        await small_limit.artifacts.read(job.id, "ann", "overlay")
    file.unlink()
    with pytest.raises(Expired):
        await small_limit.artifacts.read(job.id, "ann", "overlay")


async def test_no_more_bytes_are_stored_than_allowed(make_store: Callable[..., JobStore], folder: Path):
    store = make_store(file_threshold=1000, max_stored_bytes=3000)
    first = (await store.jobs.submit(submission(1, image=None))).job
    await run_one(store, result(b"x" * 2000))
    with pytest.raises(StorageFull, match="2,000 of 3,000 bytes") as refused:
        await store.jobs.submit(submission(2))
    assert refused.value.retry_after is not None
    second = (await store.jobs.submit(submission(3, image=None))).job
    execution = await claim_one(store)
    with pytest.raises(StorageFull):
        await store.queue.complete(execution, result(b"y" * 1001))
    assert (await store.jobs.read(second.id, "ann")).state is JobState.RUNNING  # type: ignore[union-attr]
    assert len(files(folder)) == 1
    await store.jobs.delete(first.id, "ann")
    assert await store.queue.complete(execution, result(b"y" * 3000))
    assert await store.artifacts.read(second.id, "ann", "overlay") == b"y" * 3000


async def test_if_one_large_artifact_does_not_fit_none_is_stored(make_store: Callable[..., JobStore], folder: Path):
    store = make_store(file_threshold=2, max_stored_bytes=len(LARGE) + 2)
    await store.jobs.submit(submission(1, image=None))
    with pytest.raises(StorageFull):
        await store.queue.complete(await claim_one(store), result(LARGE))
    assert files(folder) == []


async def test_some_disk_is_kept_free(make_store: Callable[..., JobStore], folder: Path):
    store = make_store(file_threshold=1000, min_free_disk=10**18)
    with pytest.raises(StorageFull, match="are free"):
        await store.jobs.submit(submission(1))
    assert files(folder) == []
    assert await store.queue.claim("w1", "fast", 1, 0) == []
    assert await make_store(file_threshold=1000, max_stored_bytes=len(PHOTO)).jobs.submit(submission(1)), "the refused file is not counted"


async def test_a_failing_disk_is_storage_full_and_names_no_path(small_limit: JobStore, folder: Path):
    write(folder, b"not a folder")
    with pytest.raises(StorageFull) as refused:
        await small_limit.jobs.submit(submission(1))
    assert str(folder) not in refused.value.detail


async def test_sweeping_deletes_what_has_expired(make_store: Callable[..., JobStore], folder: Path):
    store = make_store(file_threshold=1000, result_ttl=1)
    await store.jobs.submit(submission(1))
    await run_one(store, result(LARGE))
    assert await store.sweep() == 0
    assert len(files(folder)) == 2
    swept: list[int] = []

    async def all_gone() -> bool:
        swept.append(await store.sweep())
        return files(folder) == []

    await until(all_gone)
    assert sum(swept) == 2
    assert await make_store(file_threshold=1000, max_stored_bytes=len(PHOTO)).jobs.submit(submission(1)), "their bytes are free again"


async def test_files_of_a_cached_result_live_on(make_store: Callable[..., JobStore], folder: Path):
    store = make_store(file_threshold=1000, result_ttl=1)
    first = (await store.jobs.submit(submission(1, image=None))).job
    await run_one(store, result(LARGE))

    async def first_expired() -> bool:
        assert (await store.jobs.submit(submission(1, image=None))).job.cached
        assert await store.sweep() == 0
        return (await store.jobs.read(first.id, "ann")).state is JobState.EXPIRED  # type: ignore[union-attr]

    await until(first_expired)
    again = (await store.jobs.submit(submission(1, image=None))).job
    assert await store.artifacts.read(again.id, "ann", "overlay") == LARGE


async def test_sweeping_deletes_old_files_that_the_account_does_not_know(store: JobStore, folder: Path):
    old = ULID.from_timestamp(ULID().timestamp - ORPHAN_AGE - 60)
    kept = [f"{ULID()}-3", f"{ULID()}-3.part", "README"]
    for name in (f"{old}-3", f"{old}-4.part", *kept):
        write(folder / name, b"abc")
    assert await store.sweep() == 2
    assert sorted(file.name for file in files(folder)) == sorted(kept)


async def test_any_fsspec_address_will_do(make_store: Callable[..., JobStore], folder: Path):
    elsewhere = f"/{ULID()}"
    store = make_store(file_threshold=1000, files_url=f"memory:/{elsewhere}")
    job = (await store.jobs.submit(submission(1))).job
    execution = await claim_one(store)
    assert await store.images.file_of(execution) == PHOTO
    await store.queue.complete(execution, result(LARGE))
    assert await store.artifacts.read(job.id, "ann", "overlay") == LARGE
    assert files(folder) == []
    await store.jobs.delete(job.id, "ann")
    assert len(store._files._filesystem.ls(elsewhere, detail=False)) == 1, "the image stays, because other jobs may use it"
