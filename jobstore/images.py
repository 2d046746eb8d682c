"""Store the images that callers send, so that several jobs can share an upload and workers can read the files."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

from jobstore.account import FileAccount
from jobstore.connection import Connection
from jobstore.files import SHARED_FILES, content_digest
from jobstore.keys import image_sha256, key, owner_key
from jobstore.records import Execution, ImageRecord
from jobstore.snapshot import moment
from schemas.errors import Expired, NotFound


class ImageStore:
    """Stores each image file once, whoever sent it, and knows which owner has uploaded which image.

    Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection, account: FileAccount) -> None:
        self._connection = connection
        self._account = account

    async def put(self, owner: str, content: bytes, format: str, width: int, height: int) -> ImageRecord:  # noqa: A002 - the image's format
        """Store an uploaded image for `result_ttl` seconds. Bytes that were uploaded before are not stored twice.

        Raises:
            StorageFull: There is no room for the image.
        """
        digest = await content_digest(content)
        record: dict[str, Any] = {"id": f"img_{digest}", "format": format, "width": width, "height": height, "size": len(content)}
        arguments: dict[str, Any] = {"image": digest, "owner_key": owner_key(owner), "record": json.dumps(record)}
        shard = self._connection.shard_of(digest)
        outcome, expiry, _ = await self._account.run("upload", shard, {}, **arguments)
        if outcome == "send_images":
            _, expiry, _ = await self._account.run("upload", shard, {digest: content}, **arguments)
        return ImageRecord(**record, expires_at=moment(expiry))

    async def keep(self, owner: str, image_ids: Sequence[str]) -> list[ImageRecord | None]:
        """Let uploaded images live for `result_ttl` seconds from now, because a job that is about to be submitted reads them.

        Return a record for each id, or None if this owner has not uploaded that image or it has expired.
        """
        digests_by_shard: dict[int, list[str]] = {}
        for digest in map(image_sha256, image_ids):
            digests_by_shard.setdefault(self._connection.shard_of(digest), []).append(digest)
        replies = await asyncio.gather(
            *(
                self._connection.script("keep_images", shard, images=digests, owner_key=owner_key(owner))
                for shard, digests in digests_by_shard.items()
            )
        )
        found: dict[str, ImageRecord] = {}
        for digests, (expiry, values) in zip(digests_by_shard.values(), replies, strict=True):
            found |= {digest: _image_record(value, expiry) for digest, value in zip(digests, values, strict=True) if value is not None}
        return [found.get(image_sha256(image_id)) for image_id in image_ids]

    async def uploaded(self, owner: str, image_id: str) -> ImageRecord | None:
        """Return the record of an image that this owner has uploaded, or None if there is none. How long it lives does not change."""
        found = await self._upload(owner, image_id)
        return found and found[1]

    async def uploaded_file(self, owner: str, image_id: str) -> bytes | None:
        """Return the file of an image that this owner has uploaded, or None if there is none.

        Raises:
            Expired: The image's file cannot be found.
        """
        found = await self._upload(owner, image_id)
        return None if found is None else await self._read(found[0])

    async def page(self, owner: str, *, cursor: str | None = None, limit: int = 50) -> tuple[list[ImageRecord], str | None]:
        """Return one page of the images that this owner has uploaded, and the cursor of the next page (None after the last page).

        The image that was uploaded last comes first. A file that was uploaded again has the place of its last upload.

        Args:
            owner: the owner of the images.
            cursor: the cursor that the page before gave, `<milliseconds since 1970>-<sha256>`.
            limit: a page has at most this many images.
        """
        before, _, sha256 = cursor.partition("-") if cursor else (None, None, None)
        arguments = {"owner_key": owner_key(owner), "count": limit + 1, "before_time": before, "before_sha256": sha256}
        replies = await asyncio.gather(*(self._connection.script("list_uploads", shard, **arguments) for shard in self._connection.shards))
        uploads = [(int(uploaded), _image_record(value, int(expiry))) for reply in replies for uploaded, expiry, value in reply]
        uploads.sort(key=lambda upload: (upload[0], upload[1].id), reverse=True)
        shown = uploads[:limit]
        last = f"{shown[-1][0]}-{image_sha256(shown[-1][1].id)}" if len(uploads) > limit else None
        return [record for _, record in shown], last

    async def delete(self, owner: str, image_id: str) -> bool:
        """Forget that this owner has uploaded an image. Return False if the owner has not.

        The file is deleted unless a job, a batch or another owner's upload holds it.

        Raises:
            StorageFull: The disk refuses to delete the file.
        """
        digest = image_sha256(image_id)
        shard = self._connection.shard_of(digest)
        deleted = await self._connection.script("delete_upload", shard, image=digest, owner_key=owner_key(owner))
        await self._account.collect(shard)
        return bool(deleted)

    async def file(self, image_id: str) -> bytes:
        """Return an image's file, whoever sent it. Whether a job may read an image is checked when the job is submitted.

        Raises:
            Expired: The image no longer exists, or its file cannot be found.
        """
        digest = image_sha256(image_id)
        entry = await self._connection.command("HGET", key(self._connection.shard_of(digest), "files", "all"), digest)
        if entry is None:
            raise Expired("The image has expired.")
        _, ulid, _ = entry.decode().split(" ")
        return await self._read(f"{digest}-{ulid}")

    async def file_of(self, execution: Execution, image_id: str | None = None) -> bytes:
        """Return the image file that an execution works on, or that of `image_id` if it works on several.

        Raises:
            NotFound: The execution has no image.
            Expired: The image's file cannot be found. The store keeps the images of jobs that wait or run.
        """
        wanted = image_id or execution.image_id
        if wanted is None:
            raise NotFound(f"Execution {execution.key} has no image.")
        digest = image_sha256(wanted)
        name = next((file for file in execution.files if file.startswith(digest)), None)
        return await self.file(wanted) if name is None else await self._read(name)

    async def _upload(self, owner: str, image_id: str) -> tuple[str, ImageRecord] | None:
        """Return the name of the file and the record of an owner's upload, or None if there is none or it has expired."""
        digest = image_sha256(image_id)
        shard, identity = self._connection.shard_of(digest), f"{digest}:{owner_key(owner)}"
        expiry, value = await asyncio.gather(
            self._connection.command("ZSCORE", key(shard, "stored", "all"), f"upload:{identity}"),
            self._connection.command("GET", key(shard, "upload", identity)),
        )
        if expiry is None or value is None or int(expiry) <= time.time() * 1000:
            return None
        return value.split(b" ", 1)[0].decode(), _image_record(value, int(expiry))

    async def _read(self, name: str) -> bytes:
        content = await self._account.read(name)
        if content is None:
            raise Expired(f"The image's file {name} is missing or damaged. {SHARED_FILES}")
        return content


def _image_record(value: bytes, expiry: int) -> ImageRecord:
    """Return the record of an upload from its value, the file's name and JSON, and the time when it expires."""
    return ImageRecord(**json.loads(value.split(b" ", 1)[1]), expires_at=moment(expiry))
