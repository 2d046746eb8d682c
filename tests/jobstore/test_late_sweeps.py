"""Files are deleted also if nothing was swept until the records that used them are gone, as after a weekend without a service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from jobstore import account
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from tests.jobstore.samples import run_one, submission
from tests.jobstore.stored_files import contents
from tests.redis_servers import open_redis


async def test_files_go_although_the_records_that_used_them_are_gone(
    make_store: Callable[..., JobStore], store_settings: StoreSettings, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account.FileAccount, "_look_after", lambda *_: None)
    store = make_store(result_ttl=1)
    await store.jobs.submit(submission(1))
    await run_one(store)
    await store.jobs.submit(submission(2, image=b"a photo that waits"))
    await store.images.put("ann", b"an upload", "PNG", 9, 5)
    await store.pieces.keep("e" * 64, {"1": b"a piece"})
    with open_redis(redis_url) as redis:
        for name in (*redis.scan_iter("*:files:all"), *redis.scan_iter("*:stored:all"), *redis.scan_iter("*:waiting:*")):
            redis.expire(name, 60)  # as other work keeps them alive
        await asyncio.sleep(2.2)  # results live for a second, and records for two
        assert not [*redis.scan_iter("*:execution:*")], "the records are gone"
        await store.sweep()
        assert contents(store_settings.data_dir / "files") == []
        sizes = [int(redis.hget(name, "bytes")) for name in redis.scan_iter("*:files:all")]
        assert sum(sizes) == 0
        assert not [*redis.scan_iter("*:held:*"), *redis.scan_iter("*:upload:*"), *redis.scan_iter("*:pieces:*")]
