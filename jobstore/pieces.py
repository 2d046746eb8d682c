"""Pieces of long work, kept so that other work, or the same work taken up again, need not do them anew."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from jobstore.base import StoreBase
from jobstore.keys import key, shard_of
from schemas.errors import StorageFull

READS = 16  # at a time


class Pieces(StoreBase):
    """A piece is bytes, always a blob, under the name of the work it is of (a sha256) and its own. It may be gone at any time."""

    async def keep_pieces(self, work: str, pieces: Mapping[str, bytes]) -> None:
        """Keeps pieces for `result_ttl`, in the place of those of the same names.

        Raises:
            StorageFull: those that found no room are not kept.
        """
        blobs: dict[str, str] = {}
        try:
            for name, content in pieces.items():
                blobs[name] = await self._blobs.put(content)
        finally:
            if blobs:
                await self._note(work, blobs)

    async def pieces(self, work: str, names: Sequence[str] | None = None) -> dict[str, bytes]:
        """Those of `names` that are there, or all; they live for `result_ttl` from now."""
        place = key(shard_of(work, self._settings.shards), "pieces", work)
        noted: dict[bytes, bytes] = await self._connection.command("HGETALL", place)
        there = {name.decode(): blob.decode() for name, blob in noted.items()}
        blobs = there if names is None else {name: there[name] for name in names if name in there}
        if not blobs:
            return {}
        await self._connection.command("PEXPIRE", place, self._settings.result_ttl * 1000)
        await self._blobs.keep(list(blobs.values()))
        found: dict[str, bytes] = {}
        waiting = list(blobs.items())
        for start in range(0, len(waiting), READS):
            some = waiting[start : start + READS]
            contents = await asyncio.gather(*(self._blobs.get(blob) for _, blob in some))
            found |= {name: content for (name, _), content in zip(some, contents, strict=True) if content is not None}
        return found

    async def _note(self, work: str, blobs: Mapping[str, str]) -> None:
        noted = [text for pair in blobs.items() for text in pair]
        try:
            await self._script("keep_pieces", shard_of(work, self._settings.shards), work=work, pieces=noted)
        except StorageFull:
            await self._blobs.delete(list(blobs.values()))
            raise
