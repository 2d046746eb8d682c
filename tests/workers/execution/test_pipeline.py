"""Whole jobs on a small real model: bytes in, artifacts out; only the caller is missing."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
import pytest
import structlog
from PIL import Image

from catalog.catalog import Catalog, load_catalog
from jobstore.records import DESCRIBE, Execution, Result, Submission
from jobstore.store import JobStore
from schemas.errors import InvalidImage, ModelLoadFailed, StorageFull, UnknownModel, UnsupportedFormat
from schemas.health import WorkerStatus
from schemas.images import ImageLimits
from schemas.limits import MethodLimits
from schemas.methods import params_class
from schemas.models import Preprocessing, PublishedModel
from tests.wait import until
from tests.workers.jobs import resolved, submission
from tests.workers.tiny import photo, save_model
from tests.zoo import ZOO
from workers.contract.progress import Slice
from workers.decoding.decoder import Decoder
from workers.execution.metrics import WorkerMetrics
from workers.execution.pipeline import Runner, Surroundings
from workers.execution.scheduler import Scheduler
from workers.models.pool import ModelPool
from workers.models.preprocessing import prepare

VERSIONS = {"convscope": "9.9"}


@dataclass
class Bench:
    """A runner with everything real around it."""

    store: JobStore
    catalog: Catalog
    scheduler: Scheduler
    runner: Runner
    metrics: WorkerMetrics
    batches: list[int]
    models_dir: Path

    async def published(self) -> PublishedModel:
        return (await self.runner.model("tiny")).published

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
        result = await self.runner.run(execution, on_slice)
        assert await self.store.queue.complete(execution, result)
        return result


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
async def bench(store: JobStore, model_file: Path, tmp_path: Path) -> AsyncIterator[Bench]:
    batches: list[int] = []
    catalog = load_catalog(tmp_path / "none.toml", model_file.parent)
    scheduler = Scheduler(threads=1, max_batch=8, on_batch=lambda _, size, __: batches.append(size))
    metrics = WorkerMetrics()
    with Decoder() as decoder:
        runner = Runner(
            store=store,
            models=ModelPool(catalog, 10**9),
            decoder=decoder,
            scheduler=scheduler,
            surroundings=Surroundings("CPU:0", VERSIONS, ImageLimits()),
            metrics=metrics,
        )
        yield Bench(store, catalog, scheduler, runner, metrics, batches, model_file.parent)
        runner.close()
        scheduler.close()


def array(result: Result, name: str) -> np.ndarray:
    (content,) = (each.content for each in result.artifacts if each.name == name)
    return np.load(io.BytesIO(content), allow_pickle=False)


async def test_a_prediction_is_what_the_model_says_of_the_photo(bench, model_file):
    content = photo(1)
    result = await bench.run("predict", content, top=3)
    published = await bench.published()

    tensor, _ = prepare(np.asarray(Image.open(io.BytesIO(content))), published.description.preprocessing, (24, 20), 3)
    expected = keras.saving.load_model(model_file)(tensor[None]).numpy()[0]
    np.testing.assert_allclose(array(result, "probabilities"), expected, rtol=1e-5)
    order = np.argsort(-expected)
    assert [each["class_index"] for each in json.loads(result.facts)["predictions"]] == order[:3].tolist()

    chart = result.artifacts[0]
    assert (chart.name, chart.kind, chart.dtype, chart.primary) == ("chart", "image", "uint8", True)
    assert np.asarray(Image.open(io.BytesIO(chart.content))).shape == chart.shape
    assert [each.primary for each in result.artifacts[1:]] == [False, False]


async def test_a_result_says_how_it_was_made_and_how_long_it_took(bench):
    result = await bench.run("grad_cam", photo(1), precision="bfloat16")
    provenance = result.provenance
    fingerprint = (await bench.published()).description.fingerprint
    assert (provenance.model_fingerprint, provenance.precision, provenance.device) == (fingerprint, "bfloat16", "CPU:0")
    assert (provenance.seed, provenance.versions) == (None, VERSIONS)
    assert None not in (result.timings.queued, result.timings.decode, result.timings.device, result.timings.render)
    value = bench.metrics.registry.get_sample_value
    assert value("convscope_decode_seconds_count") == 1
    assert value("convscope_render_seconds_count", {"method": "grad_cam"}) == 1


async def test_a_result_says_that_inputs_beside_the_photos_were_zeros(bench, tmp_path):
    model = ZOO["two_inputs"]()
    model.save(tmp_path / "two.keras")
    (tmp_path / "two.toml").write_text('preprocessing = "tf"')
    pool = ModelPool(load_catalog(tmp_path / "none.toml", tmp_path), 10**9)
    bench.runner._models = pool
    content = photo(1)
    (execution,) = await bench.claim(resolved("predict", pool.get("two").published, content))
    result = await bench.runner.run(execution, lambda _: None)
    assert result.warnings == ("The photo goes to input 'photo'; the model's other inputs (numbers) were given zeros.",)
    tensor, _ = prepare(np.asarray(Image.open(io.BytesIO(content))), Preprocessing.named("tf"), (13, 9), 3)
    expected = model([tensor[None], np.zeros((1, 4), np.float32)])[0]
    np.testing.assert_allclose(array(result, "probabilities"), expected, rtol=1e-5)


async def test_a_job_reads_several_images(bench):
    """Of different sizes; more than are decoded at a time."""
    photos = [photo(seed, height=20 + 3 * seed, width=40 - 2 * seed) for seed in range(5)]
    ids = [(await bench.store.images.put("tester", each, "PNG", 1, 1)).id for each in photos]
    slices: list[Slice] = []
    result = await bench.run("top_patches", images=ids, channels=(4, 1), count=5, on_slice=slices.append)
    assert (slices[-1].step, slices[-1].total) == (5, 5)
    assert result.timings.decode is not None
    model = await bench.runner.model("tiny")
    tensors = [model.prepare(np.asarray(Image.open(io.BytesIO(each))))[0] for each in photos]
    maps = model.probe.forward(np.stack(tensors), ["relu"]).activations["relu"][..., [4, 1]]
    best = maps.max(axis=(1, 2)).T
    values = -np.sort(-best, axis=1)
    np.testing.assert_allclose(array(result, "values"), values, rtol=1e-5)
    np.testing.assert_array_equal(array(result, "positions")[..., 0], np.where(values > 0, np.argsort(-best, axis=1), -1))


async def test_of_several_images_the_broken_one_is_named(bench):
    ids = [(await bench.store.images.put("tester", each, "PNG", 1, 1)).id for each in (photo(1), photo(2)[:200], photo(3))]
    (execution,) = await bench.claim(resolved("top_patches", await bench.published(), images=ids))
    with pytest.raises(InvalidImage, match=rf"^Image 1 \({ids[1]}\): "):
        await bench.runner.run(execution, lambda _: None)


async def test_jobs_of_one_batch_get_what_each_would_get_alone(bench):
    published = await bench.published()
    photos = [photo(seed, height=20 + 3 * seed, width=40 - 2 * seed) for seed in range(4)]
    alone = [await bench.run("grad_cam", each, class_index=seed) for seed, each in enumerate(photos)]
    bench.batches.clear()
    executions = await bench.claim(*(resolved("grad_cam", published, each, class_index=seed) for seed, each in enumerate(photos)))
    opened = threading.Event()
    bench.scheduler.fast("gate", 0, lambda _: [opened.wait(30)])
    running = [asyncio.create_task(bench.runner.run(execution, lambda _: None)) for execution in executions]
    await until(lambda: bench.scheduler.waiting == 4)
    opened.set()
    together = dict(zip((each.params for each in executions), await asyncio.gather(*running), strict=True))
    assert bench.batches[-1] == 4
    assert len({result.artifacts[0].shape for result in alone}) == 4
    for single in alone:
        (same,) = (each for each in together.values() if json.loads(each.facts)["class_index"] == json.loads(single.facts)["class_index"])
        np.testing.assert_allclose(array(same, "map"), array(single, "map"), atol=1e-6)
        assert same.artifacts[0].shape == single.artifacts[0].shape


async def test_a_slow_job_reports_its_slices_and_says_its_seed(bench):
    slices: list[Slice] = []
    result = await bench.run("filters", on_slice=slices.append, layer="relu", channels=[1, 4, 6], size=24, steps=20, seed=5)
    assert result.timings.decode is None
    assert result.provenance.seed == 5
    assert array(result, "images").shape == (3, 24, 24, 3)
    assert array(result, "curves").shape == (3, 20)
    assert [each.name for each in result.artifacts if each.primary] == ["grid"]
    steps = [each.step for each in slices]
    assert steps == sorted(set(steps))
    assert all(each.total == 20 for each in slices)
    again = await bench.run("filters", layer="relu", channels=[1, 4, 6], size=24, steps=20, seed=5)
    np.testing.assert_array_equal(array(again, "images"), array(result, "images"))


async def test_a_slow_method_gets_the_photo_at_its_own_size(bench):
    content = photo(1, height=47, width=33)
    result = await bench.run("deep_dream", content, layers={"stem": 1.0}, octaves=2, steps=2, step_size=1e-6)
    image = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_allclose(array(result, "image"), image / 127.5 - 1, atol=1e-3)  # steps of no length: the photo itself
    dream = result.artifacts[0]
    assert (dream.name, dream.primary) == ("dream", True)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(dream.content))), image)


async def test_a_model_is_described_for_the_service(bench):
    (entry,) = (each for each in bench.catalog.values() if each.name == "tiny")
    alive = WorkerStatus(id="w", device="CPU:0", started_at=datetime.now(UTC), loaded_models=(), running=0)
    await bench.store.workers.heartbeat(alive)
    asked = asyncio.create_task(bench.store.models.describe("tiny", entry.digest, 30))
    (execution,) = await bench.store.queue.claim("w", "fast", 1, 10)
    result = await bench.runner.run(execution, lambda _: None)
    await bench.store.queue.complete(execution, result)
    published = await asked
    assert published.description.layer_at("conv").output_shape == (9, 7, 8)
    assert published.description.default_layer == "relu"


async def test_a_description_of_another_version_is_refused(bench):
    params = json.dumps({"model": "tiny", "digest": "0123456789abcdef"})
    (execution,) = await bench.claim(submission(method=DESCRIBE, model="tiny", params=params))
    with pytest.raises(ModelLoadFailed, match="different versions"):
        await bench.runner.run(execution, lambda _: None)


async def test_a_model_is_published_as_soon_as_it_is_loaded(bench):
    published = await bench.published()
    assert await bench.store.models.read("tiny", published.digest) == published


async def test_bad_input_is_told_as_such(bench):
    published = await bench.published()
    (text,) = await bench.claim(resolved("predict", published, b"this is no image, whatever its name says"))
    with pytest.raises(UnsupportedFormat, match="none of JPEG, PNG"):
        await bench.runner.run(text, lambda _: None)
    (execution,) = await bench.claim(resolved("predict", published, photo(3)))
    with pytest.raises(UnknownModel, match=r"no model 'tinny'.*tiny"):
        await bench.runner.run(dataclasses.replace(execution, model="tinny"), lambda _: None)


async def test_warming_up_publishes_compiles_and_survives_a_broken_model(bench):
    (bench.models_dir / "broken.keras").write_bytes(b"no zip")
    catalog = load_catalog(bench.models_dir / "none.toml", bench.models_dir)
    bench.runner._models = ModelPool(catalog, 10**9)
    with structlog.testing.capture_logs() as logs:
        await bench.runner.warm_up(["broken", "tiny"])
    (bench.models_dir / "broken.keras").unlink()
    assert [(each["event"], each["model"]) for each in logs if "model" in each] == [
        ("model not preloaded", "broken"),
        ("model ready", "tiny"),
    ]
    model = await bench.runner.model("tiny")
    traces = model.probe.traces
    await bench.run("grad_cam", photo(2))
    assert model.probe.traces == traces == 1


async def test_a_method_that_needs_no_model_loads_none(bench):
    params = params_class("sandbox").model_validate({"preset": "max_pool_2x2"}).resolve_alone(MethodLimits())
    (execution,) = await bench.claim(
        dataclasses.replace(submission(method="sandbox", model="none", image=photo(4, 31, 45)), params=params.model_dump_json())
    )
    result = await bench.runner.run(execution, lambda _: None)
    assert await bench.store.queue.complete(execution, result)
    assert array(result, "output").shape == (14, 21, 3)
    assert json.loads(result.facts)["photo"] == [31, 45]
    assert (result.provenance.model_fingerprint, result.provenance.seed) == ("", 0)
    assert (result.timings.device, bench.batches, bench.runner._models.loaded_names) == (0, [], ())


async def test_a_document_is_stored_as_text(bench):
    result = await bench.run("architecture", shapes=False)
    by_name = {each.name: each for each in result.artifacts}
    graph = by_name["json"]
    assert (graph.kind, graph.media_type, graph.shape, graph.dtype) == ("document", "application/json", (), "text")
    assert [node["path"] for node in json.loads(graph.content)["nodes"]][:2] == ["photo", "stem"]
    assert by_name["dot"].content.startswith(b"digraph")


async def test_channels_that_an_earlier_job_synthesised_are_taken_over(bench):
    """By a job with equal parameters, and by no other."""
    how = {"layer": "stem", "size": 16, "steps": 2, "fresh": False}
    filters = await bench.run("filters", channels=[1, 0], **how)
    atlas = await bench.run("filter_atlas", **how)
    channels = json.loads(atlas.facts)["channels"]
    assert json.loads(atlas.facts)["reused"] == 2
    np.testing.assert_array_equal(array(atlas, "tiles")[1], np.rint(array(filters, "images")[0] * 255))
    again = await bench.run("filter_atlas", order="objective", **how)
    assert json.loads(again.facts)["reused"] == channels
    np.testing.assert_array_equal(array(again, "tiles"), array(atlas, "tiles"))
    other = await bench.run("filter_atlas", seed=1, **how)
    assert json.loads(other.facts)["reused"] == 0
    anew = await bench.run("filter_atlas", **how | {"fresh": True})  # Cache-Control: no-cache
    assert json.loads(anew.facts)["reused"] == 0


async def test_a_job_that_is_stopped_leaves_what_it_has_finished(bench, monkeypatch):
    monkeypatch.setattr("workers.methods.synthesis.filter_atlas.GROUP", 2)
    how = {"layer": "stem", "size": 16, "steps": 2, "fresh": False}
    first_group = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(state: Slice) -> None:
        if state.pieces:
            loop.call_soon_threadsafe(first_group.set)

    running = asyncio.create_task(bench.run("filter_atlas", on_slice=tell, **how))
    await first_group.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    facts = json.loads((await bench.run("filter_atlas", order="objective", **how)).facts)
    assert 2 <= facts["reused"] < facts["channels"]


async def test_a_store_that_is_full_costs_the_pieces_and_not_the_job(bench, monkeypatch):
    async def full(*_: object) -> None:
        raise StorageFull("full", retry_after=1)

    monkeypatch.setattr(bench.store.pieces, "keep", full)
    monkeypatch.setattr(bench.store.pieces, "read", full)
    result = await bench.run("filter_atlas", layer="stem", size=16, steps=2)
    assert json.loads(result.facts)["reused"] == 0
