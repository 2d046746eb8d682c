"""Outcomes that are too long for Redis lie in a file. Callers see no difference, and the job's records in Redis stay small."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from jobstore.files import FileStore
from jobstore.job_reader import JobReader
from jobstore.outcome import LONGEST_IN_REDIS
from jobstore.records import JobRecord, Result
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.artifacts import DeferredPicture
from schemas.jobs import JobState
from tests.jobstore.samples import PHOTO, result, run_one, submission
from tests.jobstore.stored_files import contents, files

CHANNELS = [{"channel": number, "mean": number / 7, "dead": False, "name": "é"} for number in range(2000)]
FACTS: dict[str, Any] = {"layers": [{"layer": "conv", "channels": CHANNELS}]}
MOST_BYTES = 6 * 1024  # that Redis may hold for a job


def long_result(facts: dict[str, Any] = FACTS) -> Result:
    return result(facts=json.dumps(facts))


def many_pictures() -> Result:
    """Return a result whose facts are short, and whose pictures need many descriptions."""
    names = [f"heatmap.{number}" for number in range(100)]
    pictures = [DeferredPicture.of('{"kind":"heatmap","of":["map"]}', name=name, shape=(3, 5, 3), needs_photo=False) for name in names]
    return result(artifacts=(*result().artifacts, *pictures))


async def finished(store: JobStore, outcome: Result, number: int = 0) -> JobRecord:
    job = (await store.jobs.submit(submission(number))).job
    await run_one(store, outcome)
    return await read(store, job.id)


async def read(store: JobStore, job_id: str) -> JobRecord:
    found = await store.jobs.read(job_id, "ann")
    assert found is not None
    return found


def outcome_file(settings: StoreSettings) -> Path:
    [path] = [path for path in files(settings.data_dir) if b'"facts":' in path.read_bytes()]
    return path


async def test_every_way_to_read_a_job_gives_its_facts(store: JobStore) -> None:
    job = await finished(store, long_result())
    again = (await store.jobs.submit(submission())).job
    assert again.cached
    waited = await store.jobs.wait(job.id, "ann", 1)
    listed, _ = await store.jobs.page("ann")
    many = await store.jobs.read_many([job.id, again.id], "ann")
    for found in (job, again, waited, *listed, *many.values()):
        assert found is not None
        assert found.state is JobState.SUCCEEDED
        assert found.facts == FACTS
        assert found.warnings == ("the map is zero",)
        assert [artifact.name for artifact in found.artifacts] == ["overlay", "map"]
        assert json.loads(found.model_dump_json())["facts"] == FACTS
    assert await store.artifacts.read(job.id, "ann", "map") == b"\x01\x02\x03"


@pytest.mark.parametrize("outcome", [long_result(), many_pictures(), result(facts=json.dumps({"text": "x" * 2400}))])
async def test_redis_holds_at_most_6_kb_for_the_job(
    make_store: Callable[..., JobStore], redis_url: str, place: str, outcome: Result
) -> None:
    if place == "cluster":
        pytest.skip("One client of redis-py reads the memory of all keys.")
    store = make_store()
    job = await finished(store, outcome)
    with Redis.from_url(redis_url) as redis:
        names = [name for name in redis.keys("*") if job.id in str(name)]
        assert len(names) >= 5
        assert sum(redis.memory_usage(name) or 0 for name in names) < MOST_BYTES
    assert len(job.artifacts) == len(outcome.artifacts)


async def test_a_short_outcome_needs_no_file(store: JobStore, store_settings: StoreSettings) -> None:
    job = await finished(store, result())
    assert job.facts == {"class_index": 2, "label": "Ägyptische Katze"}
    assert contents(store_settings.data_dir) == [b"\x01\x02\x03", result().artifacts[0].content, PHOTO]  # type: ignore[union-attr]


async def test_the_limit_counts_bytes(store: JobStore, store_settings: StoreSettings) -> None:
    """A letter with an accent has two bytes."""
    job = await finished(store, result(facts=json.dumps({"text": "é" * (LONGEST_IN_REDIS // 2)}, ensure_ascii=False)))
    assert job.facts == {"text": "é" * (LONGEST_IN_REDIS // 2)}
    assert outcome_file(store_settings).stat().st_size > LONGEST_IN_REDIS


async def test_the_file_ends_with_the_result(store: JobStore, store_settings: StoreSettings) -> None:
    job = await finished(store, long_result())
    assert outcome_file(store_settings).exists()
    await store.jobs.delete(job.id, "ann")
    assert files(store_settings.data_dir) == []


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"other bytes")])
async def test_a_job_whose_file_is_lost_says_so_and_hides_no_other_job(
    store: JobStore, store_settings: StoreSettings, damage: Callable[[Path], object]
) -> None:
    lost = await finished(store, long_result())
    path = outcome_file(store_settings)
    damage(path)
    kept = await finished(store, result(), 1)
    listed, _ = await store.jobs.page("ann")
    assert [each.id for each in listed] == [kept.id, lost.id]
    assert (listed[1].state, listed[1].facts, listed[1].artifacts) == (JobState.SUCCEEDED, None, ())
    assert listed[1].warnings == (
        f"The file {path.name} with the results of this job is missing or damaged. "
        "Do the service and the workers share one files folder (CONVSCOPE_FILES_URL, or CONVSCOPE_DATA_DIR)?",
    )
    assert listed[0].facts is not None


async def test_a_result_that_expires_while_it_is_read_is_shown_as_expired(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result gives way after its record was read and before its file is."""
    job = await finished(store, long_result())
    read_file = FileStore.read

    def read_too_late(self: FileStore, name: str) -> bytes | None:
        self.remove([name])
        return read_file(self, name)

    snapshot = JobReader.snapshot
    calls = 0

    async def snapshot_then_expired(self: JobReader, job_id: str, owner: str) -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            for shard in store._connection.shards:  # pyright: ignore[reportPrivateUsage]
                await store._connection.script("make_room", shard, bytes=10**9, fullness=1, most=0)  # pyright: ignore[reportPrivateUsage]
        return await snapshot(self, job_id, owner)

    monkeypatch.setattr(FileStore, "read", read_too_late)
    monkeypatch.setattr(JobReader, "snapshot", snapshot_then_expired)
    found = await read(store, job.id)
    assert (found.state, found.facts, found.warnings, calls) == (JobState.EXPIRED, None, (), 2)
