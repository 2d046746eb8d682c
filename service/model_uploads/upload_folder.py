"""The files of uploaded models. A file arrives in a folder of its own, and gets its place among the models when it has been checked."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.entry import CatalogEntry
from catalog.settings_files import ModelTables
from catalog.sources.uploaded_models import UploadedModelsSource, arrivals_folder, uploads_folder
from schemas.model_upload_errors import ModelQuota
from service.model_uploads.arrival import Arrival
from service.model_uploads.disk_errors import disk_errors_told
from service.settings import ServiceSettings

_COARSE = 2 * 10**9  # nanoseconds; FAT counts the time of a change in steps of two seconds


@dataclass(frozen=True)
class _Used:
    """The number of the uploaded models, and their bytes. Files that are arriving count."""

    models: int
    size: int


class UploadFolder:
    """The folder `uploads` of the models folder. Several services may share it: a lock on a file in it puts their changes in order.

    Every method raises `ModelUploadsOff` if the service cannot write to the folder, and `StorageFull` if the disk is full. They read and
    write the disk, so an event loop calls them on a thread.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._folder, self._arrivals = uploads_folder(settings.models_dir), arrivals_folder(settings.models_dir)
        self._source = UploadedModelsSource(ModelTables(), settings.models_dir)

    def prepare(self) -> None:
        """Make the folder if it is missing, and remove what a service that was killed has left there."""
        with self._locked():
            self._sweep()

    def begin(self, name: str, declared: int) -> Arrival:
        """Return a file that can be written for the model `name`. `declared` is its size in bytes as the request says it, or 0.

        Raises:
            ModelQuota: there are too many uploaded models, or they have too many bytes.
        """
        with self._locked():
            self._sweep()
            used = self._used_without(name)
            self._check_quota(used, max(1, declared))
            room = self._settings.max_uploaded_model_bytes - used.size
            return Arrival(self._arrivals, name, room, self._settings.min_free_disk)

    def identify(self, arrival: Arrival, suffix: str) -> CatalogEntry:
        """Return the catalogue's entry of a file that has come whole, so that a worker can load it. `suffix` says its format.

        The entry is that of the model when the file has got its place, because its name, size and time stay as they are now.

        Raises:
            CatalogError: the operator's settings beside the uploaded model are wrong.
        """
        with self._locked():
            named = arrival.folder / f"{arrival.name}{suffix}"
            arrival.path.rename(named)
            arrival.path = named
            self._make_newer(named, max((path.stat().st_mtime_ns for path in self._files_of(arrival.name)), default=0))
            entry = self._source.entry_of(named)
            arrival.folder = arrival.folder.rename(self._arrivals / entry.digest)
            arrival.path = arrival.folder / named.name
            return entry

    def discard(self, arrival: Arrival) -> None:
        """Remove what is left of an arrival: everything, unless the file has got its place."""
        with self._locked():
            _remove(arrival)

    def place(self, arrival: Arrival) -> bool:
        """Give an arrived file its place, in one step. Return whether the model is new. A model of the same name is replaced.

        Raises:
            ModelQuota: other uploads have taken the room meanwhile.
        """
        with self._locked():
            self._check_quota(self._used_without(arrival.name, arrival), arrival.size)
            before = self._files_of(arrival.name)
            placed = self._folder / arrival.path.name
            arrival.path.replace(placed)
            for path in before:
                if path != placed:
                    path.unlink(missing_ok=True)
            _remove(arrival)  # under the same lock, so that the quota never counts the model twice
            _sync(self._folder)
            return not before

    def delete(self, name: str) -> bool:
        """Remove the files of an uploaded model, and the settings beside it. Return whether there were any."""
        with self._locked():
            files = self._files_of(name)
            for path in files:
                path.unlink(missing_ok=True)
            if files:
                (self._folder / f"{name}.toml").unlink(missing_ok=True)
                _sync(self._folder)
            return bool(files)

    def _files_of(self, name: str) -> list[Path]:
        return [path for suffix in self._source.suffixes if (path := self._folder / f"{name}{suffix}").is_file()]

    def _used_without(self, name: str, arrival: Arrival | None = None) -> _Used:
        """Return what all models but `name` take, which it may replace, and all files that are arriving but `arrival`."""
        sizes: dict[str, int] = {}
        for other, paths in self._source.files_by_name().items():
            if other != name:
                sizes[other] = sum(_size(path) for path in paths)
        for folder in self._arrivals.iterdir():
            if arrival is None or folder != arrival.folder:
                sizes[f"{folder.name}/"] = sum(_size(path) for path in folder.iterdir())
        return _Used(len(sizes), sum(sizes.values()))

    def _check_quota(self, used: _Used, size: int) -> None:
        most_models, most_bytes = self._settings.max_uploaded_models, self._settings.max_uploaded_model_bytes
        if used.models >= most_models:
            raise ModelQuota(
                f"There are {used.models} other uploaded models, and at most {most_models} may be in all. Delete one first.",
                allowed=f"at most {most_models} models",
                got=f"{used.models + 1} models",
            )
        if used.size + size > most_bytes:
            raise quota_of_bytes(most_bytes)

    def _sweep(self) -> None:
        for folder in self._arrivals.iterdir():
            if not folder.is_dir():
                folder.unlink(missing_ok=True)
            elif not Arrival.is_alive(folder):
                shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def _make_newer(path: Path, before: int) -> None:
        """Give a file a time of change after `before`, in ns, so that the catalogue cannot take it for the file that it replaces."""
        now = time.time_ns()
        os.utime(path, ns=(now, now))
        if path.stat().st_mtime_ns <= before:
            os.utime(path, ns=(now, before + _COARSE))

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Keep other services and threads from changing the folder. Errors of the disk inside the block are told."""
        with disk_errors_told():
            self._arrivals.mkdir(parents=True, exist_ok=True)
            with (self._folder / ".lock").open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield


def quota_of_bytes(most: int) -> ModelQuota:
    """Return the error for an upload with which all uploaded models would have more than `most` bytes."""
    return ModelQuota(
        f"With this upload, all uploaded models together would have more than {most:,} bytes. Delete one first.",
        allowed=f"at most {most} bytes in all",
    )


def _remove(arrival: Arrival) -> None:
    arrival.release()
    shutil.rmtree(arrival.folder, ignore_errors=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it has just been moved or removed
        return 0


def _sync(folder: Path) -> None:
    """Write the names of a folder to the disk, so that they survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
