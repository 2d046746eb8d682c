"""Images and artifacts too large for Redis: files of their own, in a folder or at any other fsspec address.

A blob's name is a ULID and its size, so a file says itself how old it is and whether it is whole. What is stored, and until when,
is accounted for in Redis; a file is counted before it is written and until it is gone.
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
from jobstore.settings import StoreSettings
from schemas.errors import StorageFull

_FILE = re.compile(r"(([0-9A-Z]{26})-\d+)(\.part)?")
LIFE = 1.1  # a blob outlives what names it by a tenth: it is written first
ORPHAN_AGE = 3600.0  # seconds after which a file nobody knows is no longer one that is being written


class Blobs:
    """Blobs of one store. Raises `StorageFull` where the account or the disk is full."""

    def __init__(self, connection: Connection, settings: StoreSettings) -> None:
        url = settings.blobs_url or (settings.data_dir.resolve() / "blobs").as_uri()
        filesystem, root = url_to_fs(url)
        self._connection = connection
        self._settings = settings
        self._life = round(settings.result_ttl * LIFE * 1000)
        self._files: Any = filesystem
        self._root = str(root).rstrip("/")
        self._local = isinstance(filesystem, LocalFileSystem)

    async def put(self, content: bytes) -> str:
        """Writes a blob, whole or not at all; returns its name."""
        name = f"{ULID()}-{len(content)}"
        limit = self._settings.max_stored_bytes
        fits, stored = await self._connection.script(
            "reserve_blob", "blobs", {"name": name, "size": len(content), "life": self._life, "max_stored_bytes": limit}
        )
        if not fits:
            raise StorageFull(
                f"Stored blobs take {stored:,} of {limit:,} bytes; {len(content):,} more do not fit.",
                allowed=f"{limit} bytes in all",
                got=f"{stored + len(content)} bytes",
                retry_after=60,
            )
        try:
            await asyncio.to_thread(self._write, name, content)
        except BaseException:
            with suppress(StorageFull):  # what cannot be deleted now is swept once it has outlived its account
                await self.delete([name])
            raise
        return name

    async def get(self, name: str) -> bytes | None:
        """A blob's content; None where it is gone or not whole."""
        try:
            content: bytes = await asyncio.to_thread(self._files.cat_file, self._path(name))
        except FileNotFoundError:
            return None
        return content if len(content) == _size(name) else None

    async def keep(self, names: Sequence[str]) -> None:
        """Lets blobs live as if written now."""
        if names:
            await self._connection.script("keep_blobs", "blobs", {"names": names, "life": self._life})

    async def delete(self, names: Sequence[str]) -> None:
        """Deletes blobs, and then frees their bytes; those already gone too."""
        if names:
            await asyncio.to_thread(self._remove, names)
            await self._connection.script("drop_blobs", "blobs", {"blobs": [(name, _size(name)) for name in names]})

    async def sweep(self) -> int:
        """Deletes blobs past their life, and files that no account knows and nobody can still be writing; returns how many."""
        reply = await self._connection.script("expired_blobs", "blobs", {"names": await asyncio.to_thread(self._old)})
        names = [name.decode() for name in reply]
        await self.delete(names)
        return len(names)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _write(self, name: str, content: bytes) -> None:
        if not self._local:
            self._files.pipe_file(self._path(name), content)
            return
        draft = self._path(name) + ".part"
        try:
            self._files.makedirs(self._root, exist_ok=True)
            free = shutil.disk_usage(self._root).free
            if free - len(content) < self._settings.min_free_disk:
                raise StorageFull(
                    f"{free:,} bytes of disk are free, and {self._settings.min_free_disk:,} are kept so: {len(content):,} more do not fit.",
                    allowed=f"{self._settings.min_free_disk} bytes kept free",
                    got=f"{free} bytes free",
                    retry_after=60,
                )
            self._files.pipe_file(draft, content)
            self._files.mv(draft, self._path(name))
        except OSError as error:
            raise StorageFull(f"The disk takes no more: {error.strerror or 'write failed'}.", retry_after=60) from error

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            for path in (self._path(name), self._path(name) + ".part") if self._local else (self._path(name),):
                try:
                    self._files.rm_file(path)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise StorageFull(f"The disk lets nothing be deleted: {error.strerror}.", retry_after=60) from error

    def _old(self) -> list[str]:
        """Names of all blobs that are older than any write takes, half-written ones included."""
        try:
            files = [str(path).rsplit("/", 1)[-1] for path in self._files.ls(self._root, detail=False)]
        except FileNotFoundError:
            return []
        limit = time.time() - ORPHAN_AGE
        return [match[1] for file in files if (match := _FILE.fullmatch(file)) and ULID.from_str(match[2]).timestamp < limit]


def _size(name: str) -> int:
    return int(name.split("-")[1])
