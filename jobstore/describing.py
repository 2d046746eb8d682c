"""Workers and the models they publish."""

from __future__ import annotations

import json

from jobstore.claiming import Claiming
from jobstore.keys import key
from jobstore.records import DESCRIBE, Submission
from jobstore.submitting import INTERNAL_OWNER, Submitting
from schemas.errors import InternalError, NoWorkers, VisualizationError
from schemas.health import WorkerStatus
from schemas.jobs import JobError, JobState
from schemas.models import PublishedModel


class Describing(Submitting, Claiming):
    async def heartbeat(self, status: WorkerStatus) -> None:
        """Says that a worker lives; believed for one lease."""
        life = round(self._settings.lease * 1000)
        await self._connection.command("SET", key("workers", "worker", status.id), status.model_dump_json(), "PX", life)
        await self._connection.command("SADD", _ALIVE, status.id)
        await self._connection.command("PEXPIRE", _ALIVE, life)

    async def workers(self) -> list[WorkerStatus]:
        """Workers whose heartbeat was heard within a lease, by id."""
        ids = sorted(worker.decode() for worker in await self._connection.command("SMEMBERS", _ALIVE))
        if not ids:
            return []
        found = await self._connection.command("MGET", *(key("workers", "worker", worker) for worker in ids))
        gone = [worker for worker, text in zip(ids, found, strict=True) if text is None]
        if gone:
            await self._connection.command("SREM", _ALIVE, *gone)
        return [WorkerStatus.model_validate_json(text) for text in found if text is not None]

    async def forget_worker(self, worker: str) -> None:
        """Says that a worker has ended. What it still holds is taken over once the lease has run out."""
        await self._connection.command("DEL", key("workers", "worker", worker))
        await self._connection.command("SREM", _ALIVE, worker)
        for shard in range(self._settings.shards):
            await self._script("consumers", shard, idle=0, worker=worker)

    async def publish_model(self, model: PublishedModel) -> None:
        name = _model_key(model.description.name, model.digest)
        await self._connection.command("SET", name, model.model_dump_json(), "EX", self._settings.result_ttl)

    async def published_model(self, name: str, digest: str) -> PublishedModel | None:
        """What a worker has published of the model, as of this catalogue entry's digest; None where none has lately."""
        text = await self._connection.command("GET", _model_key(name, digest))
        return None if text is None else PublishedModel.model_validate_json(text)

    async def describe(self, name: str, digest: str, seconds: float) -> PublishedModel:
        """The published model; where there is none, a worker is asked to publish it and waited for. Callers at the same time ask once.

        Raises:
            NoWorkers: none is alive, or none came to it within `seconds`.
            ModelLoadFailed, or whatever else the describing ended in, as its own class.
        """
        published = await self.published_model(name, digest)
        if published is not None:
            return published
        if not await self.workers():
            raise NoWorkers("No worker is alive to load the model; try again later.", retry_after=5)
        params = json.dumps({"digest": digest, "model": name})
        submission = Submission(INTERNAL_OWNER, DESCRIBE, name, "fast", "high", params, fingerprint=digest, fresh=True)
        job_id = (await self.submit(submission)).job.id
        job = await self.wait(job_id, INTERNAL_OWNER, seconds)
        if job is not None and job.state is JobState.FAILED and job.error is not None:
            raise as_exception(job.error)
        published = await self.published_model(name, digest)
        if published is None:
            raise NoWorkers(f"The workers are busy: none has loaded the model within {seconds:g} s; try again shortly.", retry_after=5)
        return published


_ALIVE = key("workers", "workers", "all")


def _model_key(name: str, digest: str) -> str:
    return key("models", "model", f"{name}:{digest}")


def as_exception(error: JobError) -> VisualizationError:
    """The error a job ended in, as the class of its code."""
    classes = {kind.code: kind for kind in VisualizationError.__subclasses__()}
    return classes.get(error.code, InternalError)(error.detail)
