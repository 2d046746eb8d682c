"""Owners list and delete their uploads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from tests.jobstore.samples import PHOTO, claim_one, run_one, submission
from tests.jobstore.stored_files import contents
from tests.redis_servers import open_redis


async def put(store: JobStore, number: int, owner: str = "ann") -> str:
    """Upload an image, and return its id. The next upload is of a later millisecond, by which the list is ordered."""
    await asyncio.sleep(0.002)
    return (await store.images.put(owner, PHOTO + bytes([number]), "PNG", 16, 80)).id


async def listed(store: JobStore, owner: str = "ann", limit: int = 2) -> list[str]:
    """Return the ids of all pages. No page but the last has fewer images than `limit`."""
    ids: list[str] = []
    cursor = None
    while True:
        page, cursor = await store.images.page(owner, cursor=cursor, limit=limit)
        ids += [image.id for image in page]
        if cursor is None:
            return ids
        assert len(page) == limit


async def test_pages_hold_every_upload_once_also_if_all_are_of_one_moment(store: JobStore, redis_url: str):
    ids = [await put(store, number) for number in range(7)]
    assert await listed(store) == ids[::-1]
    await put(store, 100, owner="a:{}b")
    with open_redis(redis_url) as redis:
        for name in redis.scan_iter("*:uploads:ann"):
            redis.zadd(name, dict.fromkeys(redis.zrange(name, 0, -1), 1764256400123))
    for limit in (1, 2, 3, 7, 8):
        assert await listed(store, limit=limit) == sorted(ids, reverse=True)
    assert len(await listed(store, owner="a:{}b")) == 1
    assert await listed(store, owner="bob") == []


async def test_an_upload_that_has_expired_is_not_listed_and_leaves_the_list(make_store: Callable[..., JobStore], redis_url: str):
    store = make_store(result_ttl=1)
    first = await put(store, 1)
    assert await store.images.uploaded_file("ann", first) == PHOTO + b"\x01"
    await asyncio.sleep(0.6)
    second = await put(store, 2)
    await asyncio.sleep(0.5)
    assert await listed(store) == [second]
    assert await store.images.uploaded("ann", first) is None
    assert await store.images.uploaded_file("ann", first) is None
    await store.sweep()
    with open_redis(redis_url) as redis:
        members = [member.decode() for name in redis.scan_iter("*:uploads:ann") for member in redis.zrange(name, 0, -1)]
    assert members == [second.removeprefix("img_")]


async def test_the_file_of_a_deleted_upload_is_deleted_when_nobody_needs_it(store: JobStore, store_settings: StoreSettings):
    folder = Path(store_settings.data_dir)
    image_id = await put(store, 1)
    await store.images.put("bob", PHOTO + b"\x01", "PNG", 16, 80)
    await store.jobs.submit(submission(1, image=None, image_id=image_id))
    assert await store.images.delete("ann", image_id)
    assert not await store.images.delete("ann", image_id)
    assert await store.images.uploaded("ann", image_id) is None
    assert await listed(store) == []
    assert await listed(store, "bob") == [image_id]
    assert await store.images.delete("bob", image_id)
    assert await store.images.file_of(await claim_one(store)) == PHOTO + b"\x01"
    assert contents(folder) == [PHOTO + b"\x01"]


async def test_without_a_job_the_file_is_deleted_at_once_and_can_be_uploaded_again(store: JobStore, store_settings: StoreSettings):
    image_id = await put(store, 1)
    assert await store.images.delete("ann", image_id)
    assert contents(Path(store_settings.data_dir)) == []
    assert await put(store, 1) == image_id
    assert await store.images.uploaded_file("ann", image_id) == PHOTO + b"\x01"
    await store.jobs.submit(submission(1, image=None, image_id=image_id))
    await run_one(store)
