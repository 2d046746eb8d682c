"""Pieces of long work: they are kept, found again, and may be gone without harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.errors import StorageFull

WORK, OTHER = "a" * 64, "b" * 64


def lose(folder: Path, content: bytes) -> None:
    (file,) = [path for path in folder.iterdir() if path.read_bytes() == content]
    file.unlink()


async def test_pieces_are_found_by_work_and_name(store: JobStore) -> None:
    assert await store.pieces.read(WORK) == {}
    await store.pieces.keep(WORK, {"3": b"three", "5": b""})
    await store.pieces.keep(WORK, {"4": b"four", "5": b"five"})
    await store.pieces.keep(OTHER, {"3": b"another"})
    assert await store.pieces.read(WORK, ["5", "6", "3"]) == {"5": b"five", "3": b"three"}
    assert await store.pieces.read(WORK) == {"3": b"three", "4": b"four", "5": b"five"}
    assert await store.pieces.read(WORK, []) == {}
    await store.pieces.keep(WORK, {})


async def test_pieces_live_as_long_as_results_and_longer_when_used(store: JobStore, redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        await store.pieces.keep(WORK, {"3": b"three"})
        (name,) = [each async for each in redis.scan_iter("convscope:*pieces*")]
        assert 0 < await redis.ttl(name) <= StoreSettings().result_ttl
        await redis.expire(name, 50)
        await store.pieces.read(WORK)
        assert await redis.ttl(name) > 50


async def test_a_piece_whose_file_is_gone_is_left_out(store: JobStore) -> None:
    await store.pieces.keep(WORK, {"3": b"three", "4": b"four"})
    lose(Path(store._files._root), b"three")
    assert await store.pieces.read(WORK) == {"4": b"four"}


async def test_pieces_that_fit_are_kept_if_others_do_not_fit(redis_url: str, tmp_path: Path) -> None:
    store = JobStore.connect(redis_url, StoreSettings(data_dir=tmp_path, max_stored_bytes=10, min_free_disk=0))
    try:
        with pytest.raises(StorageFull, match="10 bytes"):
            await store.pieces.keep(WORK, {"3": b"three", "4": b"sixteen letters!"})
        assert await store.pieces.read(WORK) == {"3": b"three"}
    finally:
        await store.close()
