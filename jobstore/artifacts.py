"""Read the contents of artifacts for callers, and keep pictures that were drawn when they were fetched."""

from __future__ import annotations

from jobstore.account import FileAccount
from jobstore.connection import Connection
from jobstore.files import SHARED_FILES, content_digest
from jobstore.job_reader import JobReader
from jobstore.records import JobRecord
from schemas.errors import Expired, NotFound
from schemas.jobs import JobState


class ArtifactStore:
    """Reads the artifacts of succeeded jobs. Every method raises `BrokerUnavailable` if Redis does not answer."""

    def __init__(self, connection: Connection, account: FileAccount, reader: JobReader) -> None:
        self._connection = connection
        self._account = account
        self._reader = reader

    async def read(self, job_id: str, owner: str, name: str) -> bytes:
        """Return an artifact's stored bytes: PNG for an image, WebP for an animation, npy for an array, UTF-8 for a document.

        Raises:
            Expired: The job is known, but its results no longer exist, or the artifact is a picture that is not drawn yet.
            NotFound: There is no such job, or the job has no such artifact (yet).
        """
        return await self.read_of(await self._record(job_id, owner), name)

    async def read_of(self, job: JobRecord, name: str) -> bytes:
        """Return what `read` returns, for a job whose record is known. Redis is not asked if the file is there.

        Raises:
            Expired: The results no longer exist, or the artifact is a picture that is not drawn yet.
            NotFound: The job has no such artifact (yet).
        """
        content = await self._content(job, name)
        if content is None:
            raise Expired(f"The artifact '{name}' of job {job.id} is not drawn yet.")
        return content

    async def stored(self, job_id: str, owner: str, name: str) -> bytes | None:
        """Return what `read` returns, or None for a picture that can be drawn and is not stored.

        Raises:
            Expired: The job is known, but its results no longer exist.
            NotFound: There is no such job, or the job has no such artifact (yet).
        """
        return await self._content(await self._record(job_id, owner), name)

    async def _content(self, job: JobRecord, name: str) -> bytes | None:
        check_has_results(job)
        artifact = next((each for each in job.artifacts if each.name == name), None)
        if artifact is None:
            names = [each.name for each in job.artifacts]
            reason = f"has no artifact '{name}'. It has: {', '.join(names)}" if names else f"is {job.state.value} and has no artifacts"
            raise NotFound(f"Job {job.id} {reason}.", got=name, nearest=names[:10])
        if artifact.sha256 is None:
            return None
        file = job.file_of(artifact.sha256)
        content = None if file is None else await self._account.read(file)
        if content is None:
            await self._record(job.id, job.owner)  # the results may have expired since the record was read
            raise Expired(f"The file of artifact '{name}' of job {job.id} is missing or damaged. {SHARED_FILES}")
        return content

    async def keep(self, job_id: str, owner: str, name: str, content: bytes) -> None:
        """Store a picture that was drawn when it was fetched, for as long as the job's other results.

        Nothing is stored if the results no longer exist or another process has stored the picture.

        Raises:
            Expired: The job is known, but its results no longer exist.
            NotFound: There is no such job.
            StorageFull: There is no room for the picture.
        """
        job = await self._record(job_id, owner)
        digest = await content_digest(content)
        await self._account.run(
            "keep_artifact",
            self._connection.shard_of(job_id),
            {digest: content},
            execution_id=job.execution_id,
            name=name,
            artifact=digest,
            size=len(content),
        )

    async def _record(self, job_id: str, owner: str) -> JobRecord:
        snapshot = await self._reader.snapshot(job_id, owner)
        if snapshot is None:
            raise NotFound(f"There is no job {job_id}.")
        job = await self._reader.record(snapshot, owner)
        check_has_results(job)
        return job


def check_has_results(job: JobRecord) -> None:
    """Raise `Expired` if the results of a job no longer exist."""
    if job.state is JobState.EXPIRED:
        why = "gave way to newer ones, because the store was full" if job.gave_way else "have expired"
        raise Expired(f"The results of job {job.id} {why}. Submit the job again to get new ones.")
