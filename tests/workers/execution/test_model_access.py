"""Models are loaded, published, described for the service, and warmed up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
import structlog

from catalog.catalog import load_catalog
from jobstore.records import DESCRIBE
from schemas.errors import ModelChanged, ModelLoadFailed
from schemas.health import WorkerStatus
from tests.workers.jobs import submission
from tests.workers.tiny import photo
from workers.models.pool import ModelPool


async def test_a_model_is_described_for_the_service(bench):
    (entry,) = (each for each in bench.catalog.values() if each.name == "tiny")
    alive = WorkerStatus(id="w", device="CPU:0", started_at=datetime.now(UTC), loaded_models=(), running=0)
    await bench.store.workers.heartbeat(alive)
    asked = asyncio.create_task(bench.store.models.describe("tiny", entry.digest, 30))
    (execution,) = await bench.store.queue.claim("w", "fast", 1, 10)
    result = await bench.pipeline.run(execution, lambda _: None)
    await bench.store.queue.complete(execution, result)
    published = await asked
    assert published.description.layer_at("conv").output_shape == (9, 7, 8)
    assert published.description.default_layer == "relu"


async def test_a_description_of_another_version_is_refused(bench):
    (execution,) = await bench.claim(submission(method=DESCRIBE, model="tiny", params="{}", model_digest="0123456789abcdef"))
    with pytest.raises(ModelChanged, match="different versions"):
        await bench.pipeline.run(execution, lambda _: None)


async def test_a_model_that_can_never_load_is_published_as_unloadable(bench):
    file = bench.models_dir / "torn.keras"
    file.write_bytes(b"no zip")
    try:
        catalog = load_catalog(bench.models_dir / "none.toml", bench.models_dir)
        bench.pipeline.models._loader = ModelPool(catalog, 10**9)
        asked = ("torn", catalog["torn"].digest)
        (execution,) = await bench.claim(submission(method=DESCRIBE, model="torn", params="{}", model_digest=asked[1]))
        with pytest.raises(ModelLoadFailed) as raised:
            await bench.pipeline.run(execution, lambda _: None)
    finally:
        file.unlink()
    (found,) = await bench.store.models.read_many([asked])
    assert not raised.value.retryable
    assert found.reason == raised.value.detail == "'torn.keras' is not a .keras file (a zip archive), or it is damaged."


async def test_a_model_is_published_as_soon_as_it_is_loaded(bench):
    published = await bench.published()
    assert await bench.store.models.read("tiny", published.digest) == published


async def test_warming_up_publishes_compiles_and_survives_a_broken_model(bench):
    (bench.models_dir / "broken.keras").write_bytes(b"no zip")
    catalog = load_catalog(bench.models_dir / "none.toml", bench.models_dir)
    bench.pipeline.models._loader = ModelPool(catalog, 10**9)
    with structlog.testing.capture_logs() as logs:
        await bench.pipeline.warm_up(["broken", "tiny"])
    (bench.models_dir / "broken.keras").unlink()
    assert [(each["event"], each["model"]) for each in logs if "model" in each] == [
        ("model not preloaded", "broken"),
        ("model ready", "tiny"),
    ]
    model = await bench.pipeline.models.get("tiny")
    traces = model.probe.traces
    await bench.run("grad_cam", photo(2))
    assert model.probe.traces == traces == 1
