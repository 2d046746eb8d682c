"""Store content that is too large for Redis as files, in a local folder or at any other fsspec address.

A file's name is a ULID and its size, for example `01JDZ5Y3V8W0QK4M2T9R6X1B7C-52113`, so the name tells how old the file is and whether
it is complete. Redis keeps the account: a file is counted before it is written and until it has been deleted.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# fsspec has no types.
from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from ulid import ULID

from jobstore.connection import Connection
from schemas.errors import StorageFull

_FILE_NAME = re.compile(r"(([0-9A-Z]{26})-\d+)(\.part)?")
LIFE_FACTOR = 1.1  # a file is written before the record that names it, so it lives a tenth longer
ORPHAN_AGE = 3600.0  # seconds; a file that the account does not know may still be being written until it is older than this


class FileStore:
    """Writes, reads and deletes stored files, and keeps the account of their bytes.

    Every method but `read` raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection) -> None:
        settings = connection.settings
        filesystem, root = url_to_fs(settings.files_url or (settings.data_dir.resolve() / "files").as_uri())
        self._connection = connection
        self._max_stored_bytes = settings.max_stored_bytes
        self._min_free_disk = settings.min_free_disk
        self._life = round(settings.result_ttl * LIFE_FACTOR * 1000)
        self._filesystem: Any = filesystem
        self._root = str(root).rstrip("/")
        self._is_local = isinstance(filesystem, LocalFileSystem)

    async def put(self, content: bytes) -> str:
        """Write a file, completely or not at all, and return its name.

        Raises:
            StorageFull: `max_stored_bytes` or `min_free_disk` leaves no room, or the disk fails.
        """
        name = f"{ULID()}-{len(content)}"
        limit = self._max_stored_bytes
        fits, stored = await self._connection.script(
            "reserve_file", "files", name=name, size=len(content), life=self._life, max_stored_bytes=limit
        )
        if not fits:
            raise StorageFull(
                f"Stored files take {stored:,} of {limit:,} bytes, so {len(content):,} more bytes do not fit.",
                allowed=f"{limit} bytes in all",
                got=f"{stored + len(content)} bytes",
                retry_after=60,
            )
        try:
            await asyncio.to_thread(self._write, name, content)
        except BaseException:
            with suppress(StorageFull):  # `sweep` deletes it later if it cannot be deleted now
                await self.delete([name])
            raise
        return name

    async def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if the file is gone or incomplete."""
        try:
            content: bytes = await asyncio.to_thread(self._filesystem.cat_file, self._path(name))
        except FileNotFoundError:
            return None
        return content if len(content) == _size(name) else None

    async def keep(self, names: Sequence[str]) -> None:
        """Extend the life of files as if they were written now."""
        if names:
            await self._connection.script("keep_files", "files", names=names, life=self._life)

    async def delete(self, names: Sequence[str]) -> None:
        """Delete files, then take them out of the account. Files that are already gone are no error.

        Raises:
            StorageFull: The disk refuses to delete a file.
        """
        if names:
            await asyncio.to_thread(self._remove, names)
            await self._connection.script("forget_files", "files", files=[(name, _size(name)) for name in names])

    async def sweep(self) -> int:
        """Delete files whose life is over and old files that the account does not know. Return how many were deleted.

        Raises:
            StorageFull: The disk refuses to delete a file.
        """
        reply = await self._connection.script("expired_files", "files", names=await asyncio.to_thread(self._old_names))
        names = [name.decode() for name in reply]
        await self.delete(names)
        return len(names)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _write(self, name: str, content: bytes) -> None:
        if not self._is_local:
            self._filesystem.pipe_file(self._path(name), content)
            return
        draft = self._path(name) + ".part"
        try:
            self._filesystem.makedirs(self._root, exist_ok=True)
            free = shutil.disk_usage(self._root).free
            if free - len(content) < self._min_free_disk:
                raise StorageFull(
                    f"{free:,} bytes of disk are free and {self._min_free_disk:,} must stay free, so {len(content):,} more do not fit.",
                    allowed=f"{self._min_free_disk} bytes kept free",
                    got=f"{free} bytes free",
                    retry_after=60,
                )
            self._filesystem.pipe_file(draft, content)
            self._filesystem.mv(draft, self._path(name))
        except OSError as error:
            raise StorageFull(f"The disk did not accept a file: {error.strerror or 'the write failed'}.", retry_after=60) from error

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            for path in (self._path(name), self._path(name) + ".part") if self._is_local else (self._path(name),):
                try:
                    self._filesystem.rm_file(path)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise StorageFull(f"The disk did not delete a file: {error.strerror}.", retry_after=60) from error

    def _old_names(self) -> list[str]:
        """Return the names of all files, incomplete ones included, that are older than any write takes."""
        try:
            files = [str(path).rsplit("/", 1)[-1] for path in self._filesystem.ls(self._root, detail=False)]
        except FileNotFoundError:
            return []
        limit = time.time() - ORPHAN_AGE
        return [match[1] for file in files if (match := _FILE_NAME.fullmatch(file)) and ULID.from_str(match[2]).timestamp < limit]


def _size(name: str) -> int:
    return int(name.split("-")[1])
