"""Stored files: each content once, deleted when nobody needs it, never torn, and swept if a process dies before it can delete them."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ulid import ULID

from jobstore import account
from jobstore.files import FileStore, digest_of
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.errors import CallerLimit, Expired, StorageFull
from schemas.jobs import JobError, JobState
from tests.jobstore.samples import PHOTO, claim_one, result, run_one, submission
from tests.jobstore.stored_files import contents, named
from tests.wait import until

MAP = b"\x01\x02\x03"  # the array of every result


@pytest.fixture
def folder(store_settings: StoreSettings) -> Path:
    return store_settings.data_dir / "files"


@pytest.fixture(autouse=True)
def no_upkeep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but `sweep` and `delete` delete files, so that the tests can count."""
    monkeypatch.setattr(account.FileAccount, "_look_after", lambda *_: None)


def occupy(folder: Path) -> None:
    """Put a file in the place of the folder."""
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"not a folder")


async def test_a_photo_is_one_file_while_jobs_need_it(store: JobStore, folder: Path):
    first, second = [(await store.jobs.submit(submission(number))).job for number in (1, 2)]
    assert contents(folder) == [PHOTO]
    for execution in await store.queue.claim("w1", "fast", 5, 0):
        assert await store.images.file_of(execution) == PHOTO
        await store.queue.complete(execution, result(execution.params.encode()))
        await store.sweep()
    assert contents(folder) == [MAP, b'{"class_index":1}', b'{"class_index":2}']
    await store.jobs.delete(first.id, "ann")
    assert contents(folder) == [MAP, b'{"class_index":2}'], "the map belongs to the other result, too"
    await store.jobs.delete(second.id, "ann")
    assert contents(folder) == []


@pytest.mark.parametrize("end", ["canceled", "failed", "deleted", "expired"])
async def test_the_photo_goes_when_its_job_ends_without_result(make_store: Callable[..., JobStore], folder: Path, end: str):
    store = make_store(result_ttl=1) if end == "expired" else make_store()
    job = (await store.jobs.submit(submission(1))).job
    if end == "canceled":
        await store.jobs.cancel(job.id, "ann")
    elif end == "failed":
        await store.queue.fail(await claim_one(store), JobError(code="internal", detail="", retryable=False))
    elif end == "deleted":
        await store.jobs.delete(job.id, "ann")
    else:
        await asyncio.sleep(1.1)
    assert await store.sweep() == (end != "deleted"), "deleting a job deletes its files at once"
    assert contents(folder) == []


async def test_the_photo_stays_while_another_job_waits_for_the_execution(store: JobStore, folder: Path):
    job = (await store.jobs.submit(submission(1))).job
    await store.jobs.submit(submission(1, owner="bob"))
    await store.jobs.cancel(job.id, "ann")
    await store.sweep()
    assert await store.images.file_of(await claim_one(store)) == PHOTO


async def test_an_upload_and_its_jobs_share_a_file(store: JobStore, folder: Path):
    image = await store.images.put("ann", PHOTO, "PNG", 16, 80)
    await store.images.put("bob", PHOTO, "PNG", 16, 80)
    await store.jobs.submit(submission(1))
    await store.jobs.submit(submission(2, image=None, image_id=image.id))
    assert contents(folder) == [PHOTO]
    for _ in range(2):
        await run_one(store)
    await store.sweep()
    assert PHOTO in contents(folder), "it is uploaded still"


async def test_several_images_are_kept_for_a_job_that_waits(store: JobStore, folder: Path):
    photos = [PHOTO + bytes([number]) for number in range(3)]
    ids = [(await store.images.put("ann", photo, "PNG", 16, 80)).id for photo in photos]
    await store.jobs.submit(submission(1, image=None, image_ids=tuple(ids)))
    execution = await claim_one(store)
    assert len(execution.files) == 3
    assert [await store.images.file_of(execution, image_id) for image_id in ids] == photos


async def test_equal_images_sent_at_once_leave_one_file(store: JobStore, folder: Path):
    await asyncio.gather(*(store.jobs.submit(submission(number)) for number in range(10)))
    assert contents(folder) == [PHOTO]


async def test_a_refused_submission_leaves_no_file(make_store: Callable[..., JobStore], folder: Path):
    store = make_store(max_queued_per_caller=1)
    await store.jobs.submit(submission(1, image=None))
    outcomes = await asyncio.gather(*(store.jobs.submit(submission(number)) for number in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [CallerLimit] * 3
    assert contents(folder) == []


async def test_refused_results_leave_no_file(store: JobStore, folder: Path):
    job = (await store.jobs.submit(submission(1, image=None))).job
    execution = await claim_one(store)
    await store.jobs.cancel(job.id, "ann")
    assert not await store.queue.complete(execution, result())
    assert contents(folder) == []


async def test_a_file_that_is_gone_or_damaged_is_never_answered(store: JobStore, folder: Path):
    job = (await store.jobs.submit(submission(1))).job
    execution = await claim_one(store)
    photo = named(folder, PHOTO)
    photo.write_bytes(PHOTO[:-1])
    with pytest.raises(Expired, match="CONVSCOPE_FILES_URL"):
        await store.images.file_of(execution)
    photo.write_bytes(PHOTO[:-1] + b".")
    with pytest.raises(Expired, match="damaged"):
        await store.images.file_of(execution)
    await store.queue.complete(execution, result())
    named(folder, MAP).unlink()
    with pytest.raises(Expired, match="Do the service and the workers share one files folder"):
        await store.artifacts.read(job.id, "ann", "map")


async def test_a_failing_disk_is_storage_full_and_names_no_path(store: JobStore, folder: Path):
    occupy(folder)
    with pytest.raises(StorageFull) as refused:
        await store.jobs.submit(submission(1))
    assert str(folder) not in refused.value.detail


async def test_a_disk_that_cannot_read_is_storage_full_and_names_no_path(store: JobStore, folder: Path, monkeypatch: pytest.MonkeyPatch):
    image = await store.images.put("ann", PHOTO, "PNG", 1, 1)
    file = named(folder, PHOTO)
    file.unlink()
    file.mkdir()  # opening it is an error other than that there is no such file
    with pytest.raises(StorageFull, match="did not give a file") as refused:
        await store.images.uploaded_file("ann", image.id)
    assert str(folder) not in refused.value.detail
    files = store._account._files

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error", str(folder))

    monkeypatch.setattr(files._filesystem, "find", fail)
    with pytest.raises(StorageFull, match="did not list its files: Input/output error"):
        files.names_older_than(0)


async def test_a_file_that_could_not_be_written_completely_leaves_nothing(store: JobStore, folder: Path, monkeypatch: pytest.MonkeyPatch):
    def torn(path: str, content: bytes) -> None:
        Path(path).write_bytes(content[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(store._account._files._filesystem, "pipe_file", torn)
        with pytest.raises(StorageFull, match="No space left"):
            await store.jobs.submit(submission(1))
    assert contents(folder) == []
    assert await store.queue.claim("w1", "fast", 1, 0) == []
    await store.jobs.submit(submission(1))


async def test_sweeping_deletes_what_has_expired(make_store: Callable[..., JobStore], folder: Path):
    store = make_store(result_ttl=1)
    job = (await store.jobs.submit(submission(1))).job
    await run_one(store)
    assert await store.sweep() == 1
    assert len(contents(folder)) == 2
    await asyncio.sleep(1.1)
    assert await store.sweep() == 2
    assert contents(folder) == []
    found = await store.jobs.read(job.id, "ann")
    assert found is not None
    assert (found.state, found.gave_way) == (JobState.EXPIRED, False)
    assert await store.evictions() == {}, "its time was over, so it has not given way"


async def test_files_of_a_cached_result_live_on(make_store: Callable[..., JobStore], folder: Path):
    store = make_store(result_ttl=1)
    first = (await store.jobs.submit(submission(1, image=None))).job
    await run_one(store)

    async def first_expired() -> bool:
        assert (await store.jobs.submit(submission(1, image=None))).job.cached
        assert await store.sweep() == 0
        return (await store.jobs.read(first.id, "ann")).state is JobState.EXPIRED  # type: ignore[union-attr]

    await until(first_expired)
    again = (await store.jobs.submit(submission(1, image=None))).job
    assert await store.artifacts.read(again.id, "ann", "map") == MAP


async def test_any_fsspec_address_will_do(make_store: Callable[..., JobStore], folder: Path):
    elsewhere = f"/{ULID()}"
    store = make_store(files_url=f"memory:/{elsewhere}")
    job = (await store.jobs.submit(submission(1))).job
    execution = await claim_one(store)
    assert await store.images.file_of(execution) == PHOTO
    await store.queue.complete(execution, result())
    assert await store.artifacts.read(job.id, "ann", "map") == MAP
    assert contents(folder) == []
    await store.jobs.delete(job.id, "ann")
    files: FileStore = store._account._files
    assert files._filesystem.find(elsewhere) == []


class AwayError(Exception):
    """Stands for the errors of a remote filesystem's own library."""


def test_a_remote_place_that_does_not_answer_is_no_internal_error(store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch):
    files = FileStore(store_settings.model_copy(update={"files_url": "memory://away"}))
    kept = files.write(PHOTO, digest_of(PHOTO))
    assert files.read(kept.name) == PHOTO

    def away(*_: object, **__: object) -> None:
        raise AwayError("http://secret-host:9000")

    with monkeypatch.context() as patch:
        for name in ("pipe_file", "cat_file", "rm_file", "find"):
            patch.setattr(type(files._filesystem), name, away)
        for call in (
            lambda: files.write(PHOTO, digest_of(PHOTO)),
            lambda: files.read(kept.name),
            lambda: files.remove([kept.name]),
            lambda: files.names_older_than(0),
        ):
            with pytest.raises(StorageFull, match=r"does not answer or refuses: AwayError\. Try again later") as caught:
                call()
            assert "secret-host" not in caught.value.detail
    assert files.names_older_than(-1) == [kept.name]
    files.remove([kept.name])
    assert files.read(kept.name) is None
