"""Pieces of long work: they are kept, found again, and may be gone without harm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.errors import StorageFull
from tests.jobstore.samples import submission

WORK, OTHER = "a" * 64, "b" * 64


def lose(folder: Path, content: bytes) -> None:
    (file,) = [path for path in folder.rglob("*") if path.is_file() and path.read_bytes() == content]
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


async def test_pieces_live_as_long_as_results_from_their_last_use(
    make_store: Callable[..., JobStore], store_settings: StoreSettings
) -> None:
    store = make_store(result_ttl=1)
    await store.pieces.keep(WORK, {"3": b"three"})
    await asyncio.sleep(0.7)
    assert await store.pieces.read(WORK) == {"3": b"three"}
    await asyncio.sleep(0.7)
    assert await store.sweep() == 0
    assert await store.pieces.read(WORK) == {"3": b"three"}
    await asyncio.sleep(1.1)
    assert await store.pieces.read(WORK) == {}
    assert await store.sweep() == 1
    assert [path for path in (store_settings.data_dir / "files").rglob("*") if path.is_file()] == []


async def test_a_piece_whose_file_is_gone_is_left_out(store: JobStore, store_settings: StoreSettings) -> None:
    await store.pieces.keep(WORK, {"3": b"three", "4": b"four"})
    lose(store_settings.data_dir / "files", b"three")
    assert await store.pieces.read(WORK) == {"4": b"four"}


async def test_the_oldest_work_gives_way(make_store: Callable[..., JobStore]) -> None:
    store = make_store(shards=1, max_stored_bytes=20)
    await store.pieces.keep(WORK, {"3": b"three", "4": b"four"})
    await store.pieces.keep(OTHER, {"3": b"another"})
    await asyncio.sleep(0.01)
    await store.pieces.read(WORK)
    await store.pieces.keep("c" * 64, {"3": b"the last"})
    assert await store.pieces.read(OTHER) == {}, "it was unused for longest"
    assert await store.pieces.read(WORK) == {"3": b"three", "4": b"four"}
    assert await store.evictions() == {("piece", "bytes"): 1}


async def test_pieces_that_fit_are_kept_if_others_do_not_fit(make_store: Callable[..., JobStore]) -> None:
    store = make_store(shards=1, max_stored_bytes=10)
    await store.jobs.submit(submission(1, image=b"photo"))
    with pytest.raises(StorageFull, match="10 bytes"):
        await store.pieces.keep(WORK, {"3": b"three", "4": b"sixteen letters!"})
    assert await store.pieces.read(WORK) == {}, "the older pieces have given way to the new ones, which do not fit either"
