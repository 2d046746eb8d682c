"""Keep finished pieces of long work, so that later work, or the same work after an interruption, need not compute them again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from jobstore.account import FileAccount
from jobstore.connection import Connection
from jobstore.files import content_digest

PARALLEL_READS = 16


class PieceStore:
    """Keeps pieces by the sha256 of their work and a name. A piece is bytes in a stored file, and it may be gone at any time.

    Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection, account: FileAccount) -> None:
        self._connection = connection
        self._account = account

    async def keep(self, work: str, pieces: Mapping[str, bytes]) -> None:
        """Store pieces for `result_ttl` seconds. They replace pieces of the same names.

        Raises:
            StorageFull: There is no room for all pieces. Those written before are kept.
        """
        shard = self._connection.shard_of(work)
        for name, content in pieces.items():
            digest = await content_digest(content)
            await self._account.run("keep_pieces", shard, {digest: content}, work=work, pieces=[(name, digest)])

    async def read(self, work: str, names: Sequence[str] | None = None) -> dict[str, bytes]:
        """Return those pieces of `names` (None: of all names) that exist, by name. They live for `result_ttl` seconds from now."""
        reply: list[bytes] = await self._connection.script("read_pieces", self._connection.shard_of(work), work=work)
        known = {name.decode(): file.decode() for name, file in zip(reply[::2], reply[1::2], strict=True)}
        waiting = list(known.items()) if names is None else [(name, known[name]) for name in names if name in known]
        found: dict[str, bytes] = {}
        for start in range(0, len(waiting), PARALLEL_READS):
            some = waiting[start : start + PARALLEL_READS]
            contents = await asyncio.gather(*(self._account.read(file) for _, file in some))
            found |= {name: content for (name, _), content in zip(some, contents, strict=True) if content is not None}
        return found
