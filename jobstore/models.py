"""Keep the descriptions of models, which workers publish and the service reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, TypeAdapter

from jobstore.connection import Connection
from jobstore.jobs import Jobs
from jobstore.keys import key
from jobstore.records import DESCRIBE, INTERNAL_OWNER, Submission
from jobstore.workers import WorkerRegistry
from schemas.errors import ModelLoading, NoWorkers
from schemas.jobs import JobState
from schemas.models import PublishedModel, UnloadableModel


class ModelStore:
    """Keeps published models by their name and the digest of their catalog entry.

    Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection, jobs: Jobs, workers: WorkerRegistry) -> None:
        self._connection = connection
        self._jobs = jobs
        self._workers = workers

    async def publish(self, model: PublishedModel) -> None:
        """Publish a model's description for `description_ttl` seconds. It outlives the worker that made it.

        Raises:
            StorageFull: The memory of Redis is full.
        """
        name = _model_key(model.description.name, model.digest)
        await self._connection.command("SET", name, model.model_dump_json(), "EX", self._connection.settings.description_ttl)

    async def publish_failure(self, failure: UnloadableModel) -> None:
        """Publish that a model cannot be loaded, for `result_ttl` seconds or until a worker has loaded and published it.

        Raises:
            StorageFull: The memory of Redis is full.
        """
        name = _model_key(failure.name, failure.digest)
        await self._connection.command("SET", name, failure.model_dump_json(), "EX", self._connection.settings.result_ttl)

    async def forget(self, name: str, digest: str) -> None:
        """Forget what workers have published about this version of a model, because its file is gone."""
        await self._connection.command("DEL", _model_key(name, digest))

    async def withdraw_outdated(self, models: Sequence[tuple[str, str]]) -> None:
        """Forget, among these (name, digest), the failures and the models made of custom objects, so that they are described anew.

        A worker calls this when it starts. Its settings and the code of the custom objects may have changed since they were published.
        """
        found = await self.read_many(models)
        for (name, digest), each in zip(models, found, strict=True):
            if isinstance(each, UnloadableModel) or (each is not None and each.description.custom_objects):
                await self._connection.command("DEL", _model_key(name, digest))

    async def read(self, name: str, digest: str) -> PublishedModel | None:
        """Return the model that a worker has published for this version (`digest`) of its catalog entry, or None if there is none.

        The description then lives for `description_ttl` seconds more. Whether a worker is alive does not matter.
        """
        (found,) = await self.read_many([(name, digest)])
        return await self._kept_alive(found) if isinstance(found, PublishedModel) else None

    async def _kept_alive(self, found: PublishedModel) -> PublishedModel:
        name, digest = found.description.name, found.digest
        await self._connection.command("EXPIRE", _model_key(name, digest), self._connection.settings.description_ttl)
        return found

    async def read_many(self, models: Sequence[tuple[str, str]]) -> list[PublishedModel | UnloadableModel | None]:
        """Return what workers have published about each (name, digest), in one call to Redis; None if there is nothing."""
        if not models:
            return []
        texts = await self._connection.command("MGET", *(_model_key(name, digest) for name, digest in models))
        # A description with its layers and labels has up to a megabyte, so many of them are not parsed on the event loop.
        return await asyncio.to_thread(lambda: [None if text is None else _published.validate_json(text) for text in texts])

    async def describe(self, name: str, digest: str, seconds: float, worker_wait: float = 0.0) -> PublishedModel:
        """Return the published model. If there is none, ask a worker to publish it and wait up to `seconds`.

        If no worker is alive, wait up to `worker_wait` seconds for one to start. Callers that ask at the same time share one internal job.

        Raises:
            NoWorkers: No worker is alive after `worker_wait`, or none has begun to load the model within `seconds`.
            ModelLoading: A worker is still loading the model after `seconds`. It goes on, so a later call finds the model.
            ModelLoadFailed: A worker has found that this version of the model can never be loaded.
                No worker is asked again until the files of the model change or a worker starts.
            VisualizationError: The internal job has failed. The class is that of the job's error code, for example `ModelLoadFailed`.
            StorageFull: There is no room for the internal job.
        """
        (found,) = await self.read_many([(name, digest)])
        if isinstance(found, UnloadableModel):
            raise found.as_exception()
        if found is not None:
            return await self._kept_alive(found)
        started = time.monotonic()
        alive = bool(await self._workers.alive())
        if not alive and worker_wait <= 0:
            raise _no_worker(name, "Try again later")
        submission = Submission(INTERNAL_OWNER, DESCRIBE, name, "fast", "high", "{}", fingerprint=digest, model_digest=digest, fresh=True)
        job_id = (await self._jobs.submit(submission)).job.id
        job = await self._jobs.wait(job_id, INTERNAL_OWNER, seconds if alive else min(seconds, worker_wait))
        if not alive and not (job and job.state.ended):
            if not await self._workers.alive():
                raise _no_worker(name, f"None has started within {worker_wait:.2g} s. Try again later")
            job = await self._jobs.wait(job_id, INTERNAL_OWNER, seconds - (time.monotonic() - started))
        if job is not None and job.state is JobState.FAILED and job.error is not None:
            raise job.error.as_exception()
        published = await self.read(name, digest)
        if published is None and job is not None and job.state is JobState.RUNNING:
            raise ModelLoading(f"Model '{name}' is still being loaded after {seconds:.2g} s. Try again shortly.", retry_after=5)
        if published is None:
            raise NoWorkers(f"All workers are busy: none has loaded the model within {seconds:.2g} s. Try again shortly.", retry_after=5)
        return published


def _no_worker(name: str, advice: str) -> NoWorkers:
    return NoWorkers(f"No worker is alive to load model '{name}', and none has described it before. {advice}.", retry_after=5)


_published: TypeAdapter[PublishedModel | UnloadableModel] = TypeAdapter(
    Annotated[PublishedModel | UnloadableModel, Field(union_mode="left_to_right")]
)


def _model_key(name: str, digest: str) -> str:
    return key("models", "model", f"{name}:{digest}")
