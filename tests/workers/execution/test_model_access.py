"""Models are loaded, published, described for the service, and warmed up."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from catalog.catalog import load_catalog
from jobstore.records import DESCRIBE
from schemas.errors import ModelChanged, ModelLoadFailed
from schemas.health import WorkerStatus
from tests.wait import until
from tests.workers.jobs import submission
from tests.workers.tiny import photo
from workers.execution.model_access import ModelAccess
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


class SlowLoader:
    """A pool whose loads wait until the test opens `gate`."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked: list[tuple[str, str]] = []
        self.ready: dict[tuple[str, str], Any] = {}
        self.fails = False

    def loaded(self, name: str, digest: str) -> Any:
        return self.ready.get((name, digest))

    def get(self, name: str, digest: str = "") -> Any:
        self.asked.append((name, digest))
        assert self.gate.wait(30)
        if self.fails:
            raise ModelLoadFailed("torn")
        return (name, digest)


async def test_loads_are_shared_and_delay_no_loaded_model(store):
    loader = SlowLoader()
    loader.ready["small", "1"] = "small model"
    models = ModelAccess(store, loader, threads=2)
    told: list[bool] = []
    waiting = [asyncio.create_task(models.load(name, "1", told.append)) for name in ("big", "bigger", "biggest") for _ in range(50)]
    await until(lambda: len(loader.asked) == 2)
    assert told == [True] * 150
    assert await models.load("small", "1", told.append) == "small model"
    assert (len(told), len(loader.asked)) == (150, 2)
    waiting[0].cancel()
    loader.gate.set()
    assert {await each for each in waiting[1:]} == {("big", "1"), ("bigger", "1"), ("biggest", "1")}
    assert sorted(loader.asked) == [("big", "1"), ("bigger", "1"), ("biggest", "1")]
    assert told.count(False) == 149
    models.close()


async def test_a_failed_load_fails_for_all_who_wait_and_is_tried_again(store):
    loader = SlowLoader()
    loader.fails = True
    loader.gate.set()
    models = ModelAccess(store, loader)
    outcomes = await asyncio.gather(*(models.load("big", "1") for _ in range(9)), return_exceptions=True)
    assert [type(each) for each in outcomes] == [ModelLoadFailed] * 9
    assert loader.asked == [("big", "1")]
    loader.fails = False
    assert await models.load("big", "1") == ("big", "1")
    models.close()


async def test_a_job_of_another_version_fails_and_can_be_tried_again(bench):
    (execution,) = await bench.claim(submission(method="predict", model="tiny", params='{"top": 1}', model_digest="0123456789abcdef"))
    with pytest.raises(ModelChanged, match="different versions") as raised:
        await bench.pipeline.run(execution, lambda _: None)
    assert raised.value.retryable


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
