"""Hold the files of batches: the images of their items until these are jobs, and the items themselves. Sets hold their uploads here too."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from jobstore.account import FileAccount
from jobstore.connection import Connection
from jobstore.files import content_digest
from jobstore.keys import image_sha256, key, owner_key
from jobstore.snapshot import moment
from schemas.errors import Expired, NotFound

_RELEASED_TOGETHER = 100  # files in one script


def upload_field(image_id: str) -> str:
    """Return the field under which a batch or a set holds an upload that it names, once however often it is named."""
    return f"u{image_sha256(image_id)}"


class BatchFiles:
    """Holds files for batches, and for sets, in the shards where they lie. What is held does not give way.

    An image lies in the shard of its sha256, where its job will be, and everything else in the shard of the batch. Every method raises
    `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection, account: FileAccount) -> None:
        self._connection = connection
        self._account = account

    async def hold_image(self, batch_id: str, field: str, content: bytes, life: float) -> str:
        """Store an image for a batch and return its id. The sweep lets go of it after `life` seconds.

        Raises:
            StorageFull: There is no room for the image.
        """
        digest = await content_digest(content)
        await self._hold(self._connection.shard_of(digest), content, digest, batch_id=batch_id, field=field, life=life)
        return f"img_{digest}"

    async def hold_upload(self, batch_id: str, field: str, image_id: str, owner: str, life: float) -> None:
        """Hold an image that the owner has uploaded.

        Raises:
            NotFound: The owner has not uploaded this image, or it has expired.
        """
        digest = image_sha256(image_id)
        arguments: dict[str, Any] = {
            "batch_id": batch_id,
            "field": field,
            "file": digest,
            "life": round(life * 1000),
            "owner_key": owner_key(owner),
        }
        outcome, _, _ = await self._account.run("hold_batch_file", self._connection.shard_of(digest), {}, **arguments)
        if outcome != "held":
            raise NotFound(f"There is no image {image_id}. Upload it with POST /v1/images.", pointer="/image/id", got=image_id)

    async def upload_held_until(self, batch_id: str, image_id: str) -> datetime | None:
        """Return the time until which a batch or a set holds an upload that it names, or None if it does not hold it."""
        shard = self._connection.shard_of(image_sha256(image_id))
        held, until = await asyncio.gather(
            self._connection.command("HEXISTS", key(shard, "batch_files", batch_id), upload_field(image_id)),
            self._connection.command("ZSCORE", key(shard, "batch_holds", "all"), batch_id),
        )
        return moment(int(until)) if held and until is not None else None

    async def hold_content(self, batch_id: str, field: str, content: bytes, life: float) -> None:
        """Store a file in the shard of the batch: the defaults, or a segment of items.

        Raises:
            StorageFull: There is no room for the file.
        """
        digest = await content_digest(content)
        await self._hold(self._connection.shard_of(batch_id), content, digest, batch_id=batch_id, field=field, life=life)

    async def content(self, batch_id: str, field: str) -> bytes:
        """Return the content of a file that `hold_content` has stored.

        Raises:
            Expired: The batch no longer holds such a file, or the file is missing.
        """
        name = await self._connection.command("HGET", key(self._connection.shard_of(batch_id), "batch_files", batch_id), field)
        content = None if name is None else await self._account.read(name.decode())
        if content is None:
            raise Expired(f"The file '{field}' of batch {batch_id} is missing or damaged.")
        return content

    async def keep(self, batch_id: str, life: float) -> None:
        """Let the files that a batch holds live for `life` seconds from now."""
        arguments = {"batch_id": batch_id, "life": round(life * 1000)}
        await asyncio.gather(*(self._connection.script("keep_batch_files", shard, **arguments) for shard in self._connection.shards))

    async def release(self, batch_id: str) -> None:
        """Let go of all files of a batch, and forget the notes about its items."""
        for shard in self._connection.shards:
            more = 1
            while more:
                more = await self._connection.script("release_batch_files", shard, batch_id=batch_id, most=_RELEASED_TOGETHER)

    async def _hold(self, shard: int, content: bytes, digest: str, *, batch_id: str, field: str, life: float) -> None:
        arguments: dict[str, Any] = {"batch_id": batch_id, "field": field, "file": digest, "life": round(life * 1000)}
        await self._account.run("hold_batch_file", shard, {digest: content}, **arguments)
