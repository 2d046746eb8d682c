"""Keep the descriptions of models, which workers publish and the service reads."""

from __future__ import annotations

import json

from jobstore.connection import Connection
from jobstore.jobs import Jobs
from jobstore.keys import key
from jobstore.records import DESCRIBE, INTERNAL_OWNER, Submission
from jobstore.workers import WorkerRegistry
from schemas.errors import NoWorkers
from schemas.jobs import JobState
from schemas.models import PublishedModel


class ModelStore:
    """Keeps published models by their name and the digest of their catalog entry.

    Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection, jobs: Jobs, workers: WorkerRegistry) -> None:
        self._connection = connection
        self._jobs = jobs
        self._workers = workers

    async def publish(self, model: PublishedModel) -> None:
        """Publish a model's description for `result_ttl` seconds.

        Raises:
            StorageFull: The memory of Redis is full.
        """
        name = _model_key(model.description.name, model.digest)
        await self._connection.command("SET", name, model.model_dump_json(), "EX", self._connection.settings.result_ttl)

    async def read(self, name: str, digest: str) -> PublishedModel | None:
        """Return the model that a worker has published for this version (`digest`) of its catalog entry, or None if there is none."""
        text = await self._connection.command("GET", _model_key(name, digest))
        return None if text is None else PublishedModel.model_validate_json(text)

    async def describe(self, name: str, digest: str, seconds: float) -> PublishedModel:
        """Return the published model. If there is none, ask a worker to publish it and wait up to `seconds`.

        Callers that ask at the same time share one internal job.

        Raises:
            NoWorkers: No worker is alive, or none has published the model within `seconds`.
            VisualizationError: The internal job has failed. The class is that of the job's error code, for example `ModelLoadFailed`.
            StorageFull: There is no room for the internal job.
        """
        published = await self.read(name, digest)
        if published is not None:
            return published
        if not await self._workers.alive():
            raise NoWorkers("No worker is alive to load the model. Try again later.", retry_after=5)
        params = json.dumps({"digest": digest, "model": name})
        submission = Submission(INTERNAL_OWNER, DESCRIBE, name, "fast", "high", params, fingerprint=digest, fresh=True)
        job_id = (await self._jobs.submit(submission)).job.id
        job = await self._jobs.wait(job_id, INTERNAL_OWNER, seconds)
        if job is not None and job.state is JobState.FAILED and job.error is not None:
            raise job.error.as_exception()
        published = await self.read(name, digest)
        if published is None:
            raise NoWorkers(f"All workers are busy: none has loaded the model within {seconds:g} s. Try again shortly.", retry_after=5)
        return published


def _model_key(name: str, digest: str) -> str:
    return key("models", "model", f"{name}:{digest}")
