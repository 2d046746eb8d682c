"""Store the images that callers send, so that several jobs can share an upload and workers can read the files."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from jobstore.connection import Connection
from jobstore.files import FileStore
from jobstore.keys import image_sha256, key, owner_key
from jobstore.records import Execution, ImageRecord
from jobstore.snapshot import moment
from schemas.errors import Expired, NotFound, StorageFull


class ImageStore:
    """Stores each image file once, whoever sent it, and knows which owner has uploaded which image.

    Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection, files: FileStore) -> None:
        self._connection = connection
        self._files = files

    async def put(self, owner: str, content: bytes, format: str, width: int, height: int) -> ImageRecord:  # noqa: A002 - the image's format
        """Store an uploaded image for `result_ttl` seconds. Bytes that were uploaded before are not stored twice.

        Raises:
            StorageFull: There is no room for the image.
        """
        digest = hashlib.sha256(content).hexdigest()
        record: dict[str, Any] = {"id": f"img_{digest}", "format": format, "width": width, "height": height, "size": len(content)}
        arguments = {"image": digest, "owner_key": owner_key(owner), "record": json.dumps(record)}
        reply = await self.run_with_image("upload", self._connection.shard_of(digest), content, arguments)
        await self.keep_files(reply[2])
        return ImageRecord(**record, expires_at=moment(reply[1]))

    async def record(self, owner: str, image_id: str) -> ImageRecord | None:
        """Return an image that this owner has uploaded, or None if there is none or only another owner has uploaded it."""
        digest = image_sha256(image_id)
        name = key(self._connection.shard_of(digest), "upload", f"{digest}:{owner_key(owner)}")
        text, expiry = await asyncio.gather(self._connection.command("GET", name), self._connection.command("PEXPIRETIME", name))
        return ImageRecord(**json.loads(text), expires_at=moment(expiry)) if text and expiry > 0 else None

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
        for digests, (expiry, texts, files) in zip(digests_by_shard.values(), replies, strict=True):
            await self.keep_files(files)
            records = {digest: json.loads(text) for digest, text in zip(digests, texts, strict=True) if text is not None}
            found |= {digest: ImageRecord(**record, expires_at=moment(expiry)) for digest, record in records.items()}
        return [found.get(image_sha256(image_id)) for image_id in image_ids]

    async def file(self, image_id: str) -> bytes:
        """Return an image's file, whoever sent it. Whether a job may read an image is checked when the job is submitted.

        Raises:
            Expired: The image no longer exists.
        """
        digest = image_sha256(image_id)
        name = key(self._connection.shard_of(digest), "image", digest)
        content, file = await self._connection.command("HMGET", name, "content", "file")
        if content is None and file is not None:
            content = await self._files.read(file.decode())
        if content is None:
            raise Expired("The image has expired.")
        return content

    async def file_of(self, execution: Execution) -> bytes:
        """Return the image file that an execution works on.

        Raises:
            NotFound: The execution has no image.
            Expired: The image no longer exists.
        """
        if execution.image_id is None:
            raise NotFound(f"Execution {execution.key} has no image.")
        return await self.file(execution.image_id)

    async def keep_files(self, names: Sequence[bytes]) -> None:
        """Extend the life of the files that a script's reply names."""
        await self._files.keep([name.decode() for name in names])

    async def run_with_image(self, script: str, shard: int, image: bytes | None, arguments: Mapping[str, Any]) -> list[Any]:
        """Run a script that stores `image` if the image is needed and not yet there, and return its reply.

        A large image is written to a file only after the script has asked for it (`send_image`), so that a refused submission costs
        nothing. The file is deleted again if the script then refuses or another copy was faster. If the script's answer is lost, the
        file may be in use, so it stays until it is swept.

        Raises:
            StorageFull: There is no room for the image or for what the script writes.
        """
        if image is None or len(image) <= self._connection.settings.file_threshold:
            return await self._connection.script(script, shard, *([] if image is None else [image]), **arguments, image_field="content")
        reply = await self._connection.script(script, shard, **arguments)
        if reply[0] != b"send_image":
            return reply
        file = await self._files.put(image)
        try:
            reply = await self._connection.script(script, shard, file, **arguments, image_field="file")
        except StorageFull:
            await self._files.delete([file])
            raise
        if file.encode() not in reply[2]:
            await self._files.delete([file])
        return reply
