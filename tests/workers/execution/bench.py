"""A pipeline for tests: everything around it is real, and a small model is loaded from a file."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.catalog import Catalog
from jobstore.records import Execution, Result, Submission
from jobstore.store import JobStore
from schemas.models import PublishedModel
from tests.workers.jobs import resolved
from workers.contract.progress import Slice
from workers.execution.metrics import WorkerMetrics
from workers.execution.pipeline import Pipeline
from workers.execution.scheduler import Scheduler

VERSIONS = {"convscope": "9.9"}


@dataclass
class PipelineBench:
    """A pipeline, and all that it works with."""

    store: JobStore
    catalog: Catalog
    scheduler: Scheduler
    pipeline: Pipeline
    metrics: WorkerMetrics
    batches: list[int]
    models_dir: Path

    async def published(self) -> PublishedModel:
        return (await self.pipeline.models.get("tiny")).published

    async def claim(self, *submissions: Submission) -> list[Execution]:
        for each in submissions:
            await self.store.jobs.submit(each)
        return [each for lane in ("fast", "slow") for each in await self.store.queue.claim("w", lane, 10, 0.1)]

    async def run(
        self,
        method: str,
        image: bytes | None = None,
        *,
        on_slice: Callable[[Slice], None] = lambda _: None,
        fresh: bool = True,
        **params: object,
    ) -> Result:
        (execution,) = await self.claim(dataclasses.replace(resolved(method, await self.published(), image, **params), fresh=fresh))
        result = await self.pipeline.run(execution, on_slice)
        assert await self.store.queue.complete(execution, result)
        return result


def array(result: Result, name: str) -> np.ndarray:
    """Return the array of the artifact `name`."""
    (content,) = (each.content for each in result.artifacts if each.description.name == name)
    return np.load(io.BytesIO(content), allow_pickle=False)
