"""Batches in the store: their files are held, each item becomes one job and ends once, and one feeder has the lease."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobstore.batch_item_place import BatchItemPlace
from jobstore.batches.feeding import LeaseLost
from jobstore.batches.records import BatchDraft, BatchRecord, ItemEnd
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.errors import NotFound, StorageFull
from tests.jobstore import stored_files
from tests.jobstore.samples import PHOTO, claim_one, result, run_one, submission
from tests.wait import until

LIFE = 3600.0


async def batch_of(store: JobStore, photos: list[bytes], **changes: Any) -> BatchRecord:
    """Make a batch of the owner `ann` with an item for each photo, in one segment."""
    batch_id = store.batches.new_id("ann")
    for number, photo in enumerate(photos):
        await store.batch_files.hold_image(batch_id, f"i{number}", photo, LIFE)
    await store.batch_files.hold_content(batch_id, "s0", f"items of {batch_id}".encode(), LIFE)
    fields = {"owner": "ann", "request_id": "r", "total": len(photos), "segments": 1, "digest": "d"} | changes
    batch, _ = await store.batches.make(BatchDraft(batch_id, **fields))
    return batch


async def claimed(store: JobStore) -> BatchRecord:
    [batch] = await store.batch_feeding.claim()
    return batch


async def submitted(store: JobStore, batch: BatchRecord, number: int, photo: bytes, **changes: Any) -> str:
    """Submit an item as a feeder does, and return its job's id."""

    async def assign(job_id: str) -> str:
        return await store.batch_feeding.assign(batch.id, number, job_id)

    image_id = await store.batch_files.hold_image(batch.id, f"again {number}", photo, LIFE)
    place = BatchItemPlace(batch.id, number, assign)
    return (await store.jobs.submit(submission(number, image=None, image_id=image_id, place=place, **changes))).job.id


def ends(*numbers: int, state: Any = "succeeded") -> list[ItemEnd]:
    return [ItemEnd(number, state, json.dumps({"index": number, "job_id": None})) for number in numbers]


async def test_items_become_jobs_once_and_end_once(store: JobStore):
    photos = [PHOTO + bytes([number]) for number in range(4)]
    made = await batch_of(store, photos)
    batch = await claimed(store)
    assert (batch.id, batch.owner, batch.total, batch.taken, batch.pending) == (made.id, "ann", 4, 0, ())
    for _ in range(2):
        await store.batch_feeding.take_segment(batch.id, 0, 0, 4)
    job_ids = [await submitted(store, batch, number, photo) for number, photo in enumerate(photos)]
    assert [await submitted(store, batch, number, photo) for number, photo in enumerate(photos)] == job_ids
    again = await store.batches.read(batch.id, "ann")
    assert again is not None
    assert [(item.number, item.segment, item.job_id) for item in again.pending] == [(n, 0, job_ids[n]) for n in range(4)]
    assert await store.batches.running(again) == 0
    execution = await claim_one(store)
    assert await store.batches.running(again) == 1
    assert await store.queue.complete(execution, result())
    for _ in range(3):
        await run_one(store)

    notes = await store.batch_feeding.noted_ends(batch.id)
    assert sorted((note.number, note.job_id, note.state) for note in notes) == [(n, job_ids[n], "succeeded") for n in range(4)]
    for _ in range(2):
        await store.batch_feeding.end_items(batch.id, ends(2, 0, 1, 3))
    await store.batch_feeding.forget_notes(batch.id, notes)
    assert await store.batch_feeding.noted_ends(batch.id) == []
    await store.batch_files.release(batch.id)
    await store.batch_feeding.finish(batch.id)
    done = await store.batches.read(batch.id, "ann")
    assert done is not None
    assert (done.state, done.succeeded, done.ended, done.pending) == ("succeeded", 4, 4, ())
    assert [json.loads(row)["index"] for row in await store.batches.rows(done, 0, 10)] == [2, 0, 1, 3]
    assert await store.batches.read(batch.id, "bob") is None
    assert await store.batch_feeding.claim() == []


async def test_a_job_that_is_canceled_or_answered_at_once_is_noted_too(store: JobStore):
    batch = await batch_of(store, [PHOTO, PHOTO + b"1"])
    await claimed(store)
    await store.batch_feeding.take_segment(batch.id, 0, 0, 2)
    await store.jobs.submit(submission(0))
    await run_one(store)
    cached = await submitted(store, batch, 0, PHOTO)
    canceled = await submitted(store, batch, 1, PHOTO + b"1")
    await store.jobs.cancel(canceled, "ann")
    notes = {(note.number, note.job_id, note.state) for note in await store.batch_feeding.noted_ends(batch.id)}
    assert notes == {(0, cached, "succeeded"), (1, canceled, "canceled")}
    await store.batch_files.release(batch.id)


async def test_only_the_feeder_with_the_lease_writes(make_store: Callable[..., JobStore]):
    first, second = make_store(lease=0.5), make_store(lease=0.5)
    await second.ping()
    batch = await batch_of(first, [PHOTO])
    await claimed(first)
    assert await second.batch_feeding.claim() == []
    await first.batch_feeding.take_segment(batch.id, 0, 0, 1)
    taken: list[BatchRecord] = []

    async def is_taken_over() -> bool:
        taken.extend(await second.batch_feeding.claim())
        return bool(taken)

    await until(is_taken_over)
    assert [item.number for item in taken[0].pending] == [0]
    with pytest.raises(LeaseLost):
        await first.batch_feeding.renew(batch.id)
    with pytest.raises(LeaseLost):
        await first.batch_feeding.assign(batch.id, 0, "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    with pytest.raises(LeaseLost):
        await first.batch_feeding.end_items(batch.id, ends(0))
    with pytest.raises(LeaseLost):
        await first.batch_feeding.finish(batch.id)
    await second.batch_feeding.hand_over(batch.id)
    assert (await claimed(first)).id == batch.id
    await first.batch_files.release(batch.id)


async def test_what_a_batch_holds_does_not_give_way(make_store: Callable[..., JobStore], store_settings: StoreSettings):
    store = make_store(shards=1, max_stored_bytes=10_000)
    folder = store_settings.data_dir / "files"
    batch_id = store.batches.new_id("ann")
    for number in range(8):
        await store.batch_files.hold_image(batch_id, f"i{number}", bytes([number]) * 1000, LIFE)
    for number in range(5):
        await store.jobs.submit(submission(number, image=None))
        await run_one(store, result(bytes([number, 255]) * 600))
    for number in range(8):
        assert stored_files.named(folder, bytes([number]) * 1000).exists()
    with pytest.raises(StorageFull):
        await store.batch_files.hold_image(batch_id, "i8", b"x" * 2500, LIFE)
    await store.batch_files.release(batch_id)
    await store.batch_files.hold_image(batch_id, "i8", b"x" * 2500, 0.0)
    await store.sweep()
    left = stored_files.contents(folder)
    assert b"x" * 2500 not in left, "the sweep lets go of it after its life"
    assert not [content for content in left if len(content) == 1000]


async def test_only_an_owners_upload_is_held(store: JobStore, tmp_path: Path):
    image = await store.images.put("ann", PHOTO, "PNG", 3, 5)
    batch_id = store.batches.new_id("ann")
    await store.batch_files.hold_upload(batch_id, "i0", image.id, "ann", LIFE)
    with pytest.raises(NotFound):
        await store.batch_files.hold_upload(batch_id, "i1", image.id, "bob", LIFE)
    await store.batch_files.release(batch_id)


async def test_a_batch_that_is_out_of_time_ends_as_expired(make_store: Callable[..., JobStore]):
    store = make_store(batch_ttl=1)
    batch = await batch_of(store, [PHOTO, PHOTO + b"1"])
    await claimed(store)

    async def is_out_of_time() -> bool:
        return (await store.batch_feeding.renew(batch.id)).stop == "expired"

    await until(is_out_of_time)
    await store.batch_feeding.take_segment(batch.id, 0, 0, 2)
    await store.batch_feeding.end_items(batch.id, ends(0, 1, state="canceled"))
    await store.batch_files.release(batch.id)
    await store.batch_feeding.finish(batch.id)
    done = await store.batches.read(batch.id, "ann")
    assert done is not None
    assert (done.state, done.canceled) == ("expired", 2)
