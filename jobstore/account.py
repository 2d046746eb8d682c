"""Decide which files are kept: write them for a script that enters them into the account, and delete those that nobody needs any more.

The account lies in Redis, one for each shard, and the scripts keep it (`scripts/shared/files.lua`). So the script that submits or ends
work also does the accounting.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from jobstore.connection import FULLNESS, RECORDS_TOGETHER, Connection
from jobstore.files import DiskFull, FileStore, StoredFile
from jobstore.keys import key
from schemas.errors import BrokerUnavailable, StorageFull

ORPHAN_AGE = 3600.0  # a file that no account knows may still be being written until it is older than this, seconds
ORPHAN_SEARCH = 600.0  # seconds between two searches for such files; a search lists all files
UPKEEP = 1.0  # while files are written, seconds between two looks at the garbage, at Redis's memory and at the lives of keys
DELETED_TOGETHER = 500
SWEPT_TOGETHER = 100
FREEING_TRIES = 5  # another writer may take the room that was made, or a disk may not have more room after a file is deleted


class FileAccount:
    """Writes files for the scripts that keep the account, and deletes files that have become garbage."""

    def __init__(self, connection: Connection, files: FileStore) -> None:
        self._connection = connection
        self._files = files
        self._last_search = -ORPHAN_SEARCH
        self._last_upkeep = dict.fromkeys(connection.shards, -UPKEEP)
        self._upkeep: set[asyncio.Task[None]] = set()

    async def run(
        self, script: str, shard: int, contents: Mapping[str, bytes], *payload: str, may_use_reserve: bool = False, **arguments: Any
    ) -> tuple[str, Any, list[Any]]:
        """Write files and run a script that takes those it needs into the account. Return its outcome, its detail and the rest.

        `contents` are by sha256. Files that the script does not need are deleted again. If the script's answer is lost, they stay until
        `sweep` finds that the account does not know them. The results of accepted work may use the part of the disk that is otherwise
        kept free (`min_free_disk`).

        Raises:
            StorageFull: What waits and runs takes all the room. Nothing is stored.
            BrokerUnavailable: Redis does not answer.
        """
        written = await self._write(contents, may_use_reserve=may_use_reserve)
        try:
            outcome, spare, detail, *rest = await self._connection.script(
                script, shard, *payload, **arguments, written={file.sha256: (file.ulid, file.size) for file in written}
            )
        except StorageFull:
            await self._delete([file.name for file in written])
            raise
        if spare:
            await self._delete([name.decode() for name in spare])
        if outcome == b"storage_full":
            self._raise_full(detail, sum(file.size for file in written))
        self._look_after(shard)
        return outcome.decode(), detail, rest

    async def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if the file is gone or damaged."""
        return await asyncio.to_thread(self._files.read, name)

    async def collect(self, shard: int) -> int:
        """Delete the garbage of a shard and return how many files that were.

        Raises:
            StorageFull: The disk refuses to delete a file.
        """
        count, garbage = 0, key(shard, "garbage", "all")
        while names := await self._connection.command("SPOP", garbage, DELETED_TOGETHER):
            try:
                await self._delete([name.decode() for name in names])
            except BaseException:  # also a cancellation; deleting a file twice is no error
                await self._connection.command("SADD", garbage, *names)
                raise
            count += len(names)
        return count

    async def sweep(self) -> int:
        """Delete the files of everything whose time is over, and old files that no account knows. Return how many were deleted.

        Raises:
            StorageFull: The disk refuses to delete a file.
        """
        count = 0
        await self.close()
        for shard in self._connection.shards:
            more = True
            while more:
                more = await self._connection.script("sweep", shard, most=SWEPT_TOGETHER)
            count += await self._tend(shard)
        if time.monotonic() - self._last_search >= ORPHAN_SEARCH:
            self._last_search = time.monotonic()
            orphans = await self._orphans()
            await self._delete(orphans)
            count += len(orphans)
        return count

    async def evictions(self) -> dict[tuple[str, str], int]:
        """Return how often what was stored has given way, by kind (`result`, `upload`, `piece`, `record`) and reason.

        The reasons are `bytes` (of all files), `disk`, `memory` (of Redis) and `records` (of one owner).
        """
        counts: dict[tuple[str, str], int] = {}
        for shard in self._connection.shards:
            reply: Mapping[bytes, bytes] = await self._connection.command("HGETALL", key(shard, "evictions", "all"))
            for name, count in reply.items():
                kind, reason = name.decode().split(":")
                counts[kind, reason] = counts.get((kind, reason), 0) + int(count)
        return counts

    async def close(self) -> None:
        """Wait for deletions that have begun in the background."""
        await asyncio.gather(*self._upkeep, return_exceptions=True)

    async def full_disk(self, size: int) -> DiskFull | None:
        """Return the error with which `size` more bytes would be refused now, or None if the disk has room."""
        try:
            await asyncio.to_thread(self._files.check_room, size)
        except DiskFull as full:
            return full
        return None

    async def make_disk_free(self, size: int) -> None:
        """Let what is stored give way until `size` more bytes have room on the disk.

        Raises:
            DiskFull: There is no room even when all of it has given way.
        """
        full = await self.full_disk(size)
        for _ in range(FREEING_TRIES):
            if full is None or not await self._free_disk(full.missing):
                break
            full = await self.full_disk(size)
        if full is not None:
            raise full

    async def _write(self, contents: Mapping[str, bytes], *, may_use_reserve: bool) -> list[StoredFile]:
        written: list[StoredFile] = []
        if not contents:
            return written
        try:
            try:
                await asyncio.to_thread(self._write_all, contents, written)
            except DiskFull:
                for sha256, content in [*contents.items()][len(written) :]:
                    written.append(await self._write_one(content, sha256, may_use_reserve=may_use_reserve))
        except BaseException:
            await self._delete([file.name for file in written])
            raise
        return written

    def _write_all(self, contents: Mapping[str, bytes], written: list[StoredFile]) -> None:
        """Write all files in one thread, and list each when it is whole."""
        for sha256, content in contents.items():
            written.append(self._files.write(content, sha256))

    async def _write_one(self, content: bytes, sha256: str, *, may_use_reserve: bool) -> StoredFile:
        """Write a file. If the disk is full, what is stored gives way."""
        for _ in range(FREEING_TRIES):
            try:
                return await asyncio.to_thread(self._files.write, content, sha256)
            except DiskFull as full:
                if not await self._free_disk(full.missing):
                    break
        return await asyncio.to_thread(self._files.write, content, sha256, may_use_reserve=may_use_reserve)

    async def _free_disk(self, missing: int) -> bool:
        """Let what is stored give way until so many bytes of the disk are free. Return False if nothing gave way."""
        freed = 0
        for shard in self._connection.shards:
            if freed < missing:
                freed += (await self._connection.script("make_room", shard, bytes=missing - freed, fullness=1, most=0))[0]
            await self.collect(shard)
        return freed > 0

    async def _relieve_memory(self, shard: int) -> None:
        is_full = records = 1
        while is_full and records:
            _, records, is_full = await self._connection.script("make_room", shard, bytes=0, fullness=FULLNESS, most=RECORDS_TOGETHER)

    def _look_after(self, shard: int) -> None:
        """Tend a shard in the background, about once per second while files are written."""
        if time.monotonic() - self._last_upkeep[shard] >= UPKEEP:
            self._last_upkeep[shard] = time.monotonic()
            task = asyncio.create_task(self._keep_up(shard), name=f"upkeep of shard {shard}")
            self._upkeep.add(task)
            task.add_done_callback(self._upkeep.discard)

    async def _keep_up(self, shard: int) -> None:
        with suppress(BrokerUnavailable, StorageFull):  # then the next look or sweep does it
            await self._tend(shard)

    async def _tend(self, shard: int) -> int:
        """Let the shard's own keys live on, make room in Redis's memory if it is full, and collect garbage. Return the files deleted."""
        await self._connection.script("keep_shared", shard)
        await self._relieve_memory(shard)
        return await self.collect(shard)

    async def _delete(self, names: Sequence[str]) -> None:
        if names:
            await asyncio.to_thread(self._files.remove, names)

    async def _orphans(self) -> list[str]:
        names = await asyncio.to_thread(self._files.names_older_than, ORPHAN_AGE)
        unknown: list[str] = []
        for start in range(0, len(names), DELETED_TOGETHER):
            some = names[start : start + DELETED_TOGETHER]
            for shard in self._connection.shards:
                some = [name.decode() for name in await self._connection.script("unknown_files", shard, names=some)] if some else some
            unknown += some
        return unknown

    def _raise_full(self, stored: int, size: int) -> None:
        settings = self._connection.settings
        limit = settings.max_stored_bytes // settings.shards
        place = "of stored files" if settings.shards == 1 else f"of stored files of one of {settings.shards} shards"
        raise StorageFull(
            f"Waiting and running jobs take {stored:,} of {limit:,} bytes {place}, so {size:,} more bytes do not fit.",
            allowed=f"{limit} bytes",
            got=f"{stored + size} bytes",
            retry_after=60,
        )
