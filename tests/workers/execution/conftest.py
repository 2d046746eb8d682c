"""Fixtures of the tests of whole jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from catalog.catalog import load_catalog
from jobstore.store import JobStore
from schemas.images import ImageLimits
from tests.workers.execution.bench import VERSIONS, PipelineBench
from tests.workers.tiny import save_model
from workers.decoding.decoder import Decoder
from workers.execution.metrics import WorkerMetrics
from workers.execution.pipeline import JobEnvironment, Pipeline
from workers.execution.scheduler import Scheduler
from workers.models.pool import ModelPool


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
