"""Keep finished pieces of long work, so that later work, or the same work after an interruption, need not compute them again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from jobstore.connection import Connection
from jobstore.files import FileStore
from jobstore.keys import key
from schemas.errors import StorageFull

PARALLEL_READS = 16


class PieceStore:
    """Keeps pieces by the sha256 of their work and a name. A piece is bytes in a stored file, and it may be gone at any time.

    Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection, files: FileStore) -> None:
        self._connection = connection
        self._files = files

    async def keep(self, work: str, pieces: Mapping[str, bytes]) -> None:
        """Store pieces for `result_ttl` seconds. They replace pieces of the same names.

        Raises:
            StorageFull: There is no room for all pieces. Those written before are kept.
        """
        files: dict[str, str] = {}
        try:
            for name, content in pieces.items():
                files[name] = await self._files.put(content)
        finally:
            if files:
                await self._record(work, files)

    async def read(self, work: str, names: Sequence[str] | None = None) -> dict[str, bytes]:
        """Return those pieces of `names` (None: of all names) that exist, by name. They live for `result_ttl` seconds from now."""
        place = key(self._connection.shard_of(work), "pieces", work)
        reply: dict[bytes, bytes] = await self._connection.command("HGETALL", place)
        known = {name.decode(): file.decode() for name, file in reply.items()}
        files = known if names is None else {name: known[name] for name in names if name in known}
        if not files:
            return {}
        await self._connection.command("PEXPIRE", place, self._connection.settings.result_ttl * 1000)
        await self._files.keep(list(files.values()))
        found: dict[str, bytes] = {}
        waiting = list(files.items())
        for start in range(0, len(waiting), PARALLEL_READS):
            some = waiting[start : start + PARALLEL_READS]
            contents = await asyncio.gather(*(self._files.read(file) for _, file in some))
            found |= {name: content for (name, _), content in zip(some, contents, strict=True) if content is not None}
        return found

    async def _record(self, work: str, files: Mapping[str, str]) -> None:
        names_and_files = [text for pair in files.items() for text in pair]
        try:
            await self._connection.script("keep_pieces", self._connection.shard_of(work), work=work, pieces=names_and_files)
        except StorageFull:
            await self._files.delete(list(files.values()))
            raise
