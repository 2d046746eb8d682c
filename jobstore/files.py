"""Store content as files, in a local folder or at any other fsspec address.

A file's name is the sha256 of its content and a ULID, for example `9f86…0a08-01JDZ5Y3V8W0QK4M2T9R6X1B7C`, and it lies in the folder of the
first two characters. The sha256 tells whether a file is complete. The ULID tells how old it is, and gives each copy of a content a name
of its own, so that deleting an old copy never hits a new one.

This module knows no Redis. `jobstore/account.py` decides which files are kept.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# fsspec has no types.
from __future__ import annotations

import asyncio
import errno
import hashlib
import re
import shutil
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from ulid import ULID

from jobstore.settings import StoreSettings
from schemas.errors import StorageFull

SHARED_FILES = "Do the service and the workers share one files folder (CONVSCOPE_FILES_URL, or CONVSCOPE_DATA_DIR)?"
LAST_RESERVE = 16  # this part of `min_free_disk` (64 MiB of 1 GiB) stays free for Redis even of the results of accepted jobs

_QUICK_BYTES = 256 * 1024  # they are hashed in 0.2 ms, and a thread takes about as long to begin and to end
_FILE_NAME = re.compile(r"([0-9a-f]{64}-([0-9A-Z]{26}))(\.part)?")


@dataclass(frozen=True)
class StoredFile:
    """A file that has been written: the sha256 of its content, its ULID and its size in bytes."""

    sha256: str
    ulid: str
    size: int

    @property
    def name(self) -> str:
        return f"{self.sha256}-{self.ulid}"


class DiskFull(StorageFull):
    """There is no room on the disk for a file. `missing` is the number of bytes that must become free first."""

    def __init__(self, detail: str, missing: int, **more: Any) -> None:
        super().__init__(detail, retry_after=60, **more)
        self.missing = missing


class FileStore:
    """Writes, reads and deletes files. Every method blocks, so call it in a thread.

    Every method raises `StorageFull` if the files are not on a local disk and the server that has them does not answer or refuses.
    """

    def __init__(self, settings: StoreSettings) -> None:
        filesystem, root = url_to_fs(settings.files_url or (settings.data_dir.resolve() / "files").as_uri())
        self._min_free_disk = settings.min_free_disk
        self._filesystem: Any = filesystem
        self._root = str(root).rstrip("/")
        self._is_local = isinstance(filesystem, LocalFileSystem)

    def write(self, content: bytes, sha256: str, *, may_use_reserve: bool = False) -> StoredFile:
        """Write a file, completely or not at all. `sha256` is that of the content.

        `min_free_disk` stays free. A file that may use this reserve leaves a part of it, because Redis may be on the same disk: if Redis
        cannot write, nothing can be deleted either.

        Raises:
            DiskFull: The disk or the reserve leaves no room.
            StorageFull: The disk fails in another way.
        """
        file = StoredFile(sha256, str(ULID()), len(content))
        path = self._path(file.name)
        try:
            if self._is_local:
                self._filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
                self._check_room(len(content), self._min_free_disk // LAST_RESERVE if may_use_reserve else self._min_free_disk)
                self._filesystem.pipe_file(path + ".part", content)
                self._filesystem.mv(path + ".part", path)
            else:
                with self._remote_errors():
                    self._filesystem.pipe_file(path, content)
        except OSError as error:
            detail = f"The disk did not accept a file: {error.strerror or 'the write failed'}."
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self.remove([file.name])
                raise DiskFull(detail, len(content)) from error
            raise StorageFull(detail, retry_after=60) from error
        return file

    def check_room(self, size: int) -> None:
        """Raise `DiskFull` if, after a file of `size` bytes, fewer than `min_free_disk` bytes of the disk would be free.

        At an address that is not a local folder there is always room.
        """
        if self._is_local:
            self._check_room(size, self._min_free_disk)

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if the file is gone or damaged.

        Raises:
            StorageFull: The disk refuses to read the file.
        """
        try:
            with self._remote_errors():
                content: bytes = self._filesystem.cat_file(self._path(name))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageFull(f"The disk did not give a file: {error.strerror}. Try again later.", retry_after=60) from error
        return content if digest_of(content) == sha256_of(name) else None

    def remove(self, names: Iterable[str]) -> None:
        """Delete files and what is left of unfinished ones. Files that are already gone are no error.

        Raises:
            StorageFull: The disk refuses to delete a file.
        """
        for name in names:
            for path in (self._path(name), self._path(name) + ".part") if self._is_local else (self._path(name),):
                try:
                    with self._remote_errors():
                        self._filesystem.rm_file(path)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise StorageFull(f"The disk did not delete a file: {error.strerror}.", retry_after=60) from error

    def names_older_than(self, seconds: float) -> list[str]:
        """Return the names of all files, unfinished ones included, that were made more than so many seconds ago.

        Raises:
            StorageFull: The disk refuses to list its files.
        """
        limit = time.time() - seconds
        try:
            with self._remote_errors():
                self._filesystem.invalidate_cache()  # other processes write there, too
                names = [str(path).rsplit("/", 1)[-1] for path in self._filesystem.find(self._root)]
        except OSError as error:
            raise StorageFull(f"The disk did not list its files: {error.strerror}.", retry_after=60) from error
        return [match[1] for name in names if (match := _FILE_NAME.fullmatch(name)) and ULID.from_str(match[2]).timestamp < limit]

    @contextmanager
    def _remote_errors(self) -> Generator[None]:
        """Raise `StorageFull` for any error of a filesystem that is not local, except that a file is not there.

        The errors of such filesystems have no common class: those of S3 are botocore's.
        """
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:
            if self._is_local:
                raise
            detail = f"The place where files are stored does not answer or refuses: {type(error).__name__}. Try again later."
            raise StorageFull(detail, retry_after=60) from error

    def _path(self, name: str) -> str:
        return f"{self._root}/{name[:2]}/{name}"

    def _existing_folder(self) -> Path:
        """Return the folder of the files, or the nearest one above it that is there: the folder is made with the first file."""
        root = Path(self._root)
        return next(path for path in (root, *root.parents) if path.exists())

    def _check_room(self, size: int, reserve: int) -> None:
        free = shutil.disk_usage(self._existing_folder()).free
        if free - size < reserve:
            raise DiskFull(
                f"{free:,} bytes of disk are free and {reserve:,} must stay free, so {size:,} more do not fit.",
                reserve + size - free,
                allowed=f"{reserve} bytes kept free",
                got=f"{free} bytes free",
            )


def digest_of(content: bytes) -> str:
    """Return the sha256 of a content in hexadecimal. For megabytes this takes milliseconds, so an event loop uses `content_digest`."""
    return hashlib.sha256(content).hexdigest()


async def content_digest(content: bytes) -> str:
    """Return the sha256 of a content in hexadecimal. A large content is hashed in a thread, so that the event loop goes on."""
    return digest_of(content) if len(content) <= _QUICK_BYTES else await asyncio.to_thread(digest_of, content)


def sha256_of(name: str) -> str:
    """Return the sha256 in a file's name."""
    return name.split("-", 1)[0]
