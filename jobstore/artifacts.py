"""Read the contents of artifacts for callers. Small contents are in Redis and large ones in stored files."""

from __future__ import annotations

from jobstore.connection import Connection
from jobstore.files import FileStore
from jobstore.job_reader import JobReader
from jobstore.keys import key
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
            Expired: The job is known, but its results no longer exist.
            NotFound: There is no such job, or the job has no such artifact (yet).
            BrokerUnavailable: Redis does not answer.
        """
        snapshot = await self._reader.snapshot(job_id, owner)
        if snapshot is None:
            raise NotFound(f"There is no job {job_id}.")
        if snapshot.state is JobState.EXPIRED:
            raise Expired(f"The results of job {job_id} have expired.")
        names = [artifact.name for artifact in snapshot.record(owner).artifacts]
        if name not in names:
            reason = f"has no artifact '{name}'. It has: {', '.join(names)}" if names else f"is {snapshot.state.value} and has no artifacts"
            raise NotFound(f"Job {job_id} {reason}.", got=name, nearest=names[:10])
        place = key(self._connection.shard_of(job_id), "artifacts", snapshot.execution_id)
        content = await self._connection.command("HGET", place, name)
        if content is None and (file := snapshot.files.get(name)) is not None:
            content = await self._files.read(file)
        if content is None:
            raise Expired(f"The results of job {job_id} have expired.")
        return content
