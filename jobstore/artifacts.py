"""Read the contents of artifacts for callers, and keep pictures that were drawn when they were fetched.

Small contents are in Redis and large ones in stored files.
"""

from __future__ import annotations

import hashlib

from jobstore.connection import Connection
from jobstore.files import FileStore
from jobstore.job_reader import JobReader
from jobstore.keys import key
from jobstore.snapshot import JobSnapshot
from schemas.errors import Expired, NotFound
from schemas.jobs import JobState


class ArtifactStore:
    """Reads the artifacts of succeeded jobs."""

    def __init__(self, connection: Connection, files: FileStore, reader: JobReader) -> None:
        self._connection = connection
        self._files = files
        self._reader = reader

    async def read(self, job_id: str, owner: str, name: str) -> bytes:
        """Return an artifact's stored bytes: PNG for an image, WebP for an animation, npy for an array, UTF-8 for a document.

        Raises:
            Expired: The job is known, but its results no longer exist, or the artifact is a picture that is not drawn yet.
            NotFound: There is no such job, or the job has no such artifact (yet).
            BrokerUnavailable: Redis does not answer.
        """
        content = await self.stored(job_id, owner, name)
        if content is None:
            raise Expired(f"The results of job {job_id} have expired.")
        return content

    async def stored(self, job_id: str, owner: str, name: str) -> bytes | None:
        """Return what `read` returns, or None for a picture that can be drawn and is not stored.

        Raises:
            Expired: The job is known, but its results no longer exist.
            NotFound: There is no such job, or the job has no such artifact (yet).
            BrokerUnavailable: Redis does not answer.
        """
        snapshot = await self._snapshot(job_id, owner)
        record = snapshot.record(owner)
        names = [artifact.name for artifact in record.artifacts]
        if name not in names:
            reason = f"has no artifact '{name}'. It has: {', '.join(names)}" if names else f"is {snapshot.state.value} and has no artifacts"
            raise NotFound(f"Job {job_id} {reason}.", got=name, nearest=names[:10])
        place = key(self._connection.shard_of(job_id), "artifacts", snapshot.execution_id)
        content = await self._connection.command("HGET", place, name)
        if content is None and (file := snapshot.files.get(name)) is not None:
            content = await self._files.read(file)
        if content is None and name not in record.drawings:
            raise Expired(f"The results of job {job_id} have expired.")
        return content

    async def keep(self, job_id: str, owner: str, name: str, content: bytes) -> None:
        """Store a picture that was drawn when it was fetched, for as long as the job's other results.

        Nothing is stored if the results no longer exist or another process has stored the picture.

        Raises:
            Expired: The job is known, but its results no longer exist.
            NotFound: There is no such job.
            StorageFull: There is no room for the picture.
            BrokerUnavailable: Redis does not answer.
        """
        snapshot = await self._snapshot(job_id, owner)
        arguments = {
            "execution_id": snapshot.execution_id,
            "name": name,
            "description": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)},
        }
        shard = self._connection.shard_of(job_id)
        if len(content) <= self._connection.settings.file_threshold:
            await self._connection.script("keep_artifact", shard, content, **arguments)
            return
        file = await self._files.put(content)
        if not await self._connection.script("keep_artifact", shard, **arguments, file=file):
            await self._files.delete([file])

    async def _snapshot(self, job_id: str, owner: str) -> JobSnapshot:
        snapshot = await self._reader.snapshot(job_id, owner)
        if snapshot is None:
            raise NotFound(f"There is no job {job_id}.")
        if snapshot.state is JobState.EXPIRED:
            raise Expired(f"The results of job {job_id} have expired.")
        return snapshot
