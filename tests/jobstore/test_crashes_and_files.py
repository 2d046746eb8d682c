"""Stored files when a process dies, or an answer is lost, between the disk and Redis."""

from __future__ import annotations

from pathlib import Path

import pytest
from ulid import ULID

from jobstore import account
from jobstore.account import ORPHAN_AGE
from jobstore.files import digest_of
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.errors import BrokerUnavailable
from tests.jobstore.samples import PHOTO, claim_one, result, run_one, submission
from tests.jobstore.stored_files import contents, files, named
from tests.wait import until

LOOK_AFTER = account.FileAccount._look_after
MAP = b"\x01\x02\x03"  # the array of every result


@pytest.fixture
def folder(store_settings: StoreSettings) -> Path:
    return store_settings.data_dir / "files"


@pytest.fixture(autouse=True)
def no_upkeep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but `sweep` and `delete` delete files, so that the tests can count."""
    monkeypatch.setattr(account.FileAccount, "_look_after", lambda *_: None)


async def test_results_written_before_their_answer_was_lost_stay_once(store: JobStore, folder: Path, monkeypatch: pytest.MonkeyPatch):
    job = (await store.jobs.submit(submission(1, image=None))).job
    execution = await claim_one(store)
    script = store._connection.script

    async def lost(*arguments: object, **named: object) -> object:
        await script(*arguments, **named)  # type: ignore[arg-type]
        raise BrokerUnavailable("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(store._connection, "script", lost)
        with pytest.raises(BrokerUnavailable):
            await store.queue.complete(execution, result())
    assert await store.queue.complete(execution, result())
    assert await store.artifacts.read(job.id, "ann", "map") == MAP
    assert len(contents(folder)) == 2


async def test_a_photo_stored_before_the_answer_was_lost_stays_once(store: JobStore, folder: Path, monkeypatch: pytest.MonkeyPatch):
    script = store._connection.script
    given = submission(1, idempotency_key="k", body_digest="d")

    async def lost(name: str, *arguments: object, **named: object) -> object:
        answer = await script(name, *arguments, **named)  # type: ignore[arg-type]
        if name == "submit":
            raise BrokerUnavailable("cut off")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(store._connection, "script", lost)
        with pytest.raises(BrokerUnavailable):
            await store.jobs.submit(given)
    await store.jobs.submit(given)
    assert await store.images.file_of(await claim_one(store)) == PHOTO
    assert contents(folder) == [PHOTO]


async def test_files_of_a_process_that_died_before_it_told_redis_are_swept(store: JobStore, folder: Path, store_settings: StoreSettings):
    """Such a file may also be one that is being written now, so it is left alone for an hour."""
    old = ULID.from_timestamp(ULID().timestamp - ORPHAN_AGE - 60)
    digest = digest_of(b"abc")
    orphans = [f"{digest}-{old}", f"{digest}-{old}.part"]
    kept = [f"{digest}-{ULID()}", f"{digest}-{ULID()}.part", "README"]
    for name in (*orphans, *kept):
        (folder / name[:2]).mkdir(parents=True, exist_ok=True)
        (folder / name[:2] / name).write_bytes(b"abc")
    await store.jobs.submit(submission(1))
    assert await store.sweep() > 0
    left = {path.name for path in files(folder)}
    assert left == {*kept, named(folder, PHOTO).name}


async def test_garbage_of_a_process_that_died_before_it_deleted_is_swept(store: JobStore, folder: Path):
    await store.jobs.submit(submission(1))
    await run_one(store)
    assert PHOTO in contents(folder)
    assert await store.sweep() == 1
    assert PHOTO not in contents(folder)


async def test_garbage_is_deleted_while_work_goes_on(store: JobStore, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(account.FileAccount, "_look_after", LOOK_AFTER)
    monkeypatch.setattr(account, "UPKEEP", 0)
    await store.jobs.submit(submission(1))
    await run_one(store)
    await until(lambda: PHOTO not in contents(folder))


async def test_a_new_copy_survives_the_deletion_of_an_old_one(store: JobStore, folder: Path):
    await store.jobs.submit(submission(1))
    await run_one(store)
    await store.jobs.submit(submission(2))
    assert await store.sweep() == 1
    assert await store.images.file_of(await claim_one(store)) == PHOTO
