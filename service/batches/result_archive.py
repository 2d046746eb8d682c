"""Stream the artifacts of a batch as one zip file: a folder for each item, and `results.jsonl`. One artifact is in memory at a time."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncGenerator, Sequence
from typing import IO, cast

import anyio.to_thread
import structlog
from pydantic import JsonValue

from jobstore.batches.records import BatchRecord
from jobstore.records import JobRecord
from schemas.artifacts import ArtifactDescription
from schemas.batches import BatchRow
from schemas.errors import Expired, NotFound
from service.batches.result_rows import ROWS_TOGETHER, row_line, rows_from
from service.dependencies import Services
from service.job_archive import as_in_archive, entry_name
from service.representations import file_name

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can hold
_log = structlog.get_logger(__name__)


class _Sink:
    """Takes what `zipfile` writes until it is sent. It cannot seek, so `zipfile` writes sizes after each file."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, content: bytes) -> int:
        self._written += content
        return len(content)

    def flush(self) -> None:
        """Do nothing: everything is in memory."""

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        content = bytes(self._written)
        self._written.clear()
        return content


class ResultArchive:
    """The zip file of the items of a batch that have ended when it is made.

    Args:
        services: gives the artifacts.
        batch: the batch.
        names: the artifacts that the zip file has. If it is empty, it has all.
    """

    def __init__(self, services: Services, batch: BatchRecord, names: Sequence[str]) -> None:
        self._services, self._batch, self._names = services, batch, frozenset(names)
        self._sink = _Sink()
        self._archive = zipfile.ZipFile(cast("IO[bytes]", self._sink), "w", zipfile.ZIP_STORED)  # it needs no more of a file
        self._folders: list[str] = []  # of each row, in their order
        self._used: set[str] = set()
        self._missing: dict[int, list[str]] = {}

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the bytes of the file."""
        async for row, job in self._rows():
            self._folders.append(self._folder(row))
            for artifact in row.artifacts:
                if job is not None and self._takes(artifact):
                    yield await self._artifact(row, job, artifact)
        with self._archive.open(_entry("results.jsonl"), "w") as results:
            place = 0
            async for row, job in self._rows():
                more: dict[str, JsonValue] = {"folder": self._folders[place], "missing": [*self._missing.get(row.index, [])]}
                results.write(row_line(self._shown(row, job), more))
                place += 1
                yield self._sink.taken()
        self._archive.close()
        yield self._sink.taken()

    async def _rows(self) -> AsyncGenerator[tuple[BatchRow, JobRecord | None]]:
        for first in range(0, self._batch.ended, ROWS_TOGETHER):
            for pair in await rows_from(self._services, self._batch, first, min(ROWS_TOGETHER, self._batch.ended - first)):
                yield pair

    def _takes(self, artifact: ArtifactDescription) -> bool:
        return not self._names or artifact.name in self._names

    def _shown(self, row: BatchRow, job: JobRecord | None) -> BatchRow:
        if job is None:
            return row
        artifacts = tuple(as_in_archive(each, job, is_there=self._takes(each)) for each in row.artifacts)
        return row.model_copy(update={"artifacts": artifacts})

    async def _artifact(self, row: BatchRow, job: JobRecord, artifact: ArtifactDescription) -> bytes:
        try:
            content = await self._services.contents.read(job, artifact.name)
        except (Expired, NotFound) as error:  # it has just given way, and the row says so
            self._missing.setdefault(row.index, []).append(artifact.name)
            _log.warning("artifact_not_in_archive", batch_id=self._batch.id, job_id=job.id, artifact=artifact.name, reason=error.detail)
            return b""
        name = f"{self._folders[-1]}/{entry_name(artifact)}"
        return await anyio.to_thread.run_sync(self._write, name, content)

    def _write(self, name: str, content: bytes) -> bytes:
        self._archive.writestr(_entry(name), content)
        return self._sink.taken()

    def _folder(self, row: BatchRow) -> str:
        """Return the name of an item's folder: its own name as far as file systems accept it, or else its number."""
        name = file_name(row.custom_id) if row.custom_id else f"item_{row.index:05}"
        if name.casefold() in self._used:
            name = f"{name}_{row.index:05}"
        self._used.add(name.casefold())
        return name


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o644 << 16
    return entry
