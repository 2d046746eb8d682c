"""Reads that are shared while they are in progress, and remembered up to a number of bytes."""

from __future__ import annotations

import asyncio

from service.shared_reads import SharedReads


class Source:
    def __init__(self) -> None:
        self.reads: list[str] = []
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def read(self, key: str, content: bytes) -> bytes:
        self.reads.append(key)
        await self.go.wait()
        if self.error:
            raise self.error
        return content


async def test_readers_at_the_same_time_share_one_read_even_if_the_first_leaves() -> None:
    source, shared = Source(), SharedReads[bytes](len)
    waiting = [asyncio.ensure_future(shared.get("a", lambda: source.read("a", b"1"))) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    source.go.set()
    assert await asyncio.gather(*waiting[1:]) == [b"1", b"1"]
    assert source.reads == ["a"]
    assert await shared.get("a", lambda: source.read("a", b"2")) == b"2", "nothing is remembered"


async def test_a_failed_read_fails_for_all_who_share_it_and_is_read_again() -> None:
    source, shared = Source(), SharedReads[bytes](len, max_bytes=10)
    source.error = ValueError("broken")
    source.go.set()
    both = await asyncio.gather(*(shared.get("a", lambda: source.read("a", b"1")) for _ in range(2)), return_exceptions=True)
    assert [str(error) for error in both] == ["broken", "broken"]
    source.error = None
    assert await shared.get("a", lambda: source.read("a", b"1")) == b"1"
    assert source.reads == ["a", "a"]


async def test_what_was_used_last_is_remembered_up_to_the_limit() -> None:
    source, shared = Source(), SharedReads[bytes](len, max_bytes=5)
    source.go.set()

    async def get(key: str, content: bytes) -> None:
        assert await shared.get(key, lambda: source.read(key, content)) == content

    for key in ("a", "b", "a", "c", "b", "a"):  # each has 2 bytes, so two of them fit
        await get(key, key.encode() * 2)
    assert source.reads == ["a", "b", "c", "b", "a"]
    await get("large", b"123456")
    await get("a", b"aa")
    assert source.reads == ["a", "b", "c", "b", "a", "large"], "what does not fit pushes nothing out"
