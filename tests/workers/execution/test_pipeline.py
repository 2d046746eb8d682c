"""Whole jobs on a small real model: bytes go in, and artifacts come out."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json

import keras
import numpy as np
import pytest
from PIL import Image

from catalog.catalog import load_catalog
from schemas.errors import NonFinite
from schemas.limits import MethodLimits
from schemas.methods import params_class
from tests.wait import until
from tests.workers.execution.bench import VERSIONS, array
from tests.workers.execution.scheduling import Gate
from tests.workers.jobs import resolved, submission
from tests.workers.tiny import photo
from workers.contract.progress import Slice
from workers.models.pool import ModelPool
from workers.models.preprocessing import prepare


async def test_a_prediction_is_what_the_model_says_of_the_photo(bench, model_file):
    content = photo(1)
    result = await bench.run("predict", content, top=3)
    published = await bench.published()

    tensor, _ = prepare(np.asarray(Image.open(io.BytesIO(content))), published.description.preprocessing, (24, 20), 3)
    expected = keras.saving.load_model(model_file)(tensor[None]).numpy()[0]
    np.testing.assert_allclose(array(result, "probabilities"), expected, rtol=1e-5)
    order = np.argsort(-expected)
    assert [each["class_index"] for each in json.loads(result.facts)["predictions"]] == order[:3].tolist()

    content, chart = result.artifacts[0].content, result.artifacts[0].description
    assert (chart.name, chart.kind, chart.dtype, chart.primary) == ("chart", "image", "uint8", True)
    assert np.asarray(Image.open(io.BytesIO(content))).shape == chart.shape
    assert [each.description.primary for each in result.artifacts[1:]] == [False, False]


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


async def test_jobs_of_one_batch_get_what_each_would_get_alone(bench):
    published = await bench.published()
    photos = [photo(seed, height=20 + 3 * seed, width=40 - 2 * seed) for seed in range(4)]
    alone = [await bench.run("grad_cam", each, class_index=seed) for seed, each in enumerate(photos)]
    bench.batches.clear()
    executions = await bench.claim(*(resolved("grad_cam", published, each, class_index=seed) for seed, each in enumerate(photos)))
    gate = Gate(bench.scheduler)
    running = [asyncio.create_task(bench.pipeline.run(execution, lambda _: None)) for execution in executions]
    await until(lambda: bench.scheduler.waiting == 4)
    gate.open()
    together = dict(zip((each.params for each in executions), await asyncio.gather(*running), strict=True))
    assert bench.batches[-1] == 4
    assert len({result.artifacts[0].description.shape for result in alone}) == 4
    for single in alone:
        (same,) = (each for each in together.values() if json.loads(each.facts)["class_index"] == json.loads(single.facts)["class_index"])
        np.testing.assert_allclose(array(same, "map"), array(single, "map"), atol=1e-6)
        assert same.artifacts[0].description.shape == single.artifacts[0].description.shape


async def test_a_slow_job_reports_its_slices_and_says_its_seed(bench):
    slices: list[Slice] = []
    result = await bench.run("filters", on_slice=slices.append, layer="relu", channels=[1, 4, 6], size=24, steps=20, seed=5)
    assert result.timings.decode is None
    assert result.provenance.seed == 5
    assert array(result, "images").shape == (3, 24, 24, 3)
    assert array(result, "curves").shape == (3, 20)
    assert [each.description.name for each in result.artifacts if each.description.primary] == ["grid"]
    steps = [each.step for each in slices]
    assert steps == sorted(set(steps))
    assert all(each.total == 20 for each in slices)
    again = await bench.run("filters", layer="relu", channels=[1, 4, 6], size=24, steps=20, seed=5)
    np.testing.assert_array_equal(array(again, "images"), array(result, "images"))


async def test_a_slow_method_gets_the_photo_at_its_own_size(bench):
    content = photo(1, height=47, width=33)
    result = await bench.run("deep_dream", content, layers={"stem": 1.0}, octaves=2, steps=2, step_size=1e-6)
    image = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_allclose(array(result, "image"), image / 127.5 - 1, atol=1e-3)  # the steps are so short that the dream is the photo
    dream = result.artifacts[0]
    assert (dream.description.name, dream.description.primary) == ("dream", True)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(dream.content))), image)


async def test_a_method_that_needs_no_model_loads_none(bench):
    params = params_class("sandbox").model_validate({"preset": "max_pool_2x2"}).resolve_alone(MethodLimits())
    (execution,) = await bench.claim(
        dataclasses.replace(submission(method="sandbox", model="none", image=photo(4, 31, 45)), params=params.model_dump_json())
    )
    result = await bench.pipeline.run(execution, lambda _: None)
    assert await bench.store.queue.complete(execution, result)
    assert array(result, "output").shape == (14, 21, 3)
    assert json.loads(result.facts)["photo"] == [31, 45]
    assert (result.provenance.model_fingerprint, result.provenance.seed) == ("", 0)
    assert (result.timings.device, bench.batches, bench.pipeline.models._loader.loaded_names) == (None, [], ())


async def test_a_document_is_stored_as_text(bench):
    result = await bench.run("architecture", shapes=False)
    by_name = {each.description.name: each for each in result.artifacts}
    content, graph = by_name["json"].content, by_name["json"].description
    assert (graph.kind, graph.media_type, graph.shape, graph.dtype) == ("document", "application/json", (), "text")
    assert [node["path"] for node in json.loads(content)["nodes"]][:2] == ["photo", "stem"]
    assert by_name["dot"].content.startswith(b"digraph")


async def test_weights_that_are_not_finite_are_said_in_every_result_and_error(bench, model_file, tmp_path):
    model = keras.saving.load_model(model_file)
    model.get_layer("classes").bias.assign([0, np.nan, 0, 0, np.inf])
    model.save(tmp_path / "spoilt.keras")
    pool = ModelPool(load_catalog(tmp_path / "none.toml", tmp_path), 10**9)
    bench.pipeline.models._loader = pool
    published, content = pool.get("spoilt").published, photo(1)
    (warning,) = published.description.warnings
    assert warning.endswith("The layers are 'classes' (bias: 1 NaN and 1 infinite of 5).")
    shown, failed = await bench.claim(
        resolved("activations", published, content, layer="relu"), resolved("grad_cam", published, content, class_index=1)
    )
    if shown.method != "activations":
        shown, failed = failed, shown
    result = await bench.pipeline.run(shown, lambda _: None)
    assert warning in result.warnings
    with pytest.raises(NonFinite) as raised:
        await bench.pipeline.run(failed, lambda _: None)
    assert raised.value.detail.endswith(warning)
