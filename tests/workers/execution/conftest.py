"""Fixtures of the execution room: a pipeline, a scheduler, and a worker whose jobs the test ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from catalog.catalog import load_catalog
from decoding.decoder import Decoder
from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from schemas.images import ImageLimits
from tests.event_loops import no_blocked_loops
from tests.workers.execution.bench import VERSIONS, PipelineBench
from tests.workers.execution.scripted import ScriptedWorker
from tests.workers.tiny import save_model
from workers.execution.metrics import WorkerMetrics
from workers.execution.pipeline import Pipeline
from workers.execution.pipeline_job import JobEnvironment
from workers.execution.scheduler import Scheduler
from workers.models.pool import ModelPool
from workers.settings import WorkerSettings


@pytest.fixture(autouse=True)
def _event_loops() -> Iterator[None]:
    with no_blocked_loops():
        yield


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
async def bench(store: JobStore, model_file: Path, tmp_path: Path) -> AsyncIterator[PipelineBench]:
    batches: list[int] = []
    catalog = load_catalog(tmp_path / "none.toml", model_file.parent)
    scheduler = Scheduler(threads=1, max_batch=8, on_call=lambda _, size, __: batches.append(size))
    metrics = WorkerMetrics()
    with Decoder() as decoder:
        pipeline = Pipeline(
            store=store,
            loader=ModelPool(catalog, 10**9),
            decoder=decoder,
            scheduler=scheduler,
            environment=JobEnvironment("CPU:0", VERSIONS, ImageLimits()),
            metrics=metrics,
        )
        yield PipelineBench(store, catalog, scheduler, pipeline, metrics, batches, model_file.parent)
        pipeline.close()
        scheduler.close()


@pytest.fixture
def make_scheduler() -> Iterator[Callable[..., Scheduler]]:
    made: list[Scheduler] = []

    def _make(**changes: object) -> Scheduler:
        settings: dict[str, object] = {"threads": 1, "max_batch": 4, **changes}
        made.append(Scheduler(**settings))  # type: ignore[arg-type]
        return made[-1]

    yield _make
    for scheduler in made:
        scheduler.close()


@pytest.fixture
def settings(store_settings: StoreSettings) -> WorkerSettings:
    quick = {"heartbeat": 0.2, "claim_block": 0.1, "cancel_poll": 0.02, "progress_interval": 0.02, "worker_drain": 0.0}
    return WorkerSettings.model_validate({**store_settings.model_dump(), **quick})


@pytest.fixture
async def start_worker(store: JobStore, settings: WorkerSettings) -> AsyncIterator[Callable[..., ScriptedWorker]]:
    workers: list[ScriptedWorker] = []

    def _start(name: str = "w1", **changes: object) -> ScriptedWorker:
        changed = WorkerSettings.model_validate({**settings.model_dump(), **changes})
        workers.append(ScriptedWorker(JobStore.connect(str(settings.redis_url), changed), changed, name))
        return workers[-1]

    yield _start
    for worker in workers:
        with contextlib.suppress(asyncio.CancelledError):
            await worker.close()
        await worker.store.close()
