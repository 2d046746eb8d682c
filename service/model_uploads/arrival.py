"""One model file that is being received or checked. It is no model yet."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from pathlib import Path

from schemas.errors import StorageFull
from service.model_uploads.disk_errors import disk_errors_told

_LOCK, _PART = "lock", "part"


class Arrival:
    """A file in a new folder inside `arrivals`. `UploadFolder` makes it, and moves and removes it.

    The folder holds a second file, which is locked as long as the process that receives the model lives.

    Attributes:
        name: the name of the model.
        room: the file may have at most this many bytes.
        folder: the folder of the file, which gets another name when all of the file has come.
        path: the file.
        size: the bytes that have come.
    """

    def __init__(self, arrivals: Path, name: str, room: int, min_free_disk: int) -> None:
        self.name, self.room, self._min_free_disk = name, room, min_free_disk
        self.folder = arrivals / uuid.uuid4().hex
        self.folder.mkdir()
        self._lock = (self.folder / _LOCK).open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = self.folder / _PART
        self._file = self.path.open("xb")
        self.size = 0

    @staticmethod
    def is_alive(folder: Path) -> bool:
        """Return whether a process still receives or checks the file in this folder."""
        try:
            with (folder / _LOCK).open("r+b") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    def write(self, content: bytes) -> None:
        """Append to the file.

        Raises:
            StorageFull: the disk is full, or so many bytes of it would not stay free as the operator wants.
        """
        with disk_errors_told():
            free = shutil.disk_usage(self.folder).free
            if free - len(content) < self._min_free_disk:
                raise StorageFull(
                    f"{free:,} bytes of the disk of the models folder are free and {self._min_free_disk:,} must stay free, so the model "
                    "cannot be kept."
                )
            self._file.write(content)
            self.size += len(content)

    def end(self) -> None:
        """Bring all of the file to the disk. Nothing can be written any more."""
        with disk_errors_told():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def release(self) -> None:
        """Close the files. The folder can then be removed."""
        try:
            self._file.close()
        finally:
            self._lock.close()
