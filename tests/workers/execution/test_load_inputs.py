"""The images of a job on their way to the model: several ones, broken ones, and inputs that no photo fills."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

from catalog.catalog import load_catalog
from schemas.errors import InvalidImage, UnknownModel, UnsupportedFormat
from schemas.methods.evaluation.rank_methods import RankMethods
from schemas.models import Preprocessing
from tests.workers.execution.bench import array
from tests.workers.jobs import resolved
from tests.workers.tiny import photo
from tests.zoo import ZOO
from workers.contract.progress import Slice
from workers.models.pool import ModelPool
from workers.models.preprocessing import prepare


async def test_a_warning_says_that_the_models_other_inputs_were_zeros(bench, tmp_path):
    model = ZOO["two_inputs"]()
    model.save(tmp_path / "two.keras")
    (tmp_path / "two.toml").write_text('preprocessing = "tf"')
    pool = ModelPool(load_catalog(tmp_path / "none.toml", tmp_path), 10**9)
    bench.pipeline.models._loader = pool
    content = photo(1)
    (execution,) = await bench.claim(resolved("predict", pool.get("two").published, content))
    result = await bench.pipeline.run(execution, lambda _: None)
    assert result.warnings == ("The photo goes to input 'photo'. The model's other inputs (numbers) were given zeros.",)
    tensor, _ = prepare(np.asarray(Image.open(io.BytesIO(content))), Preprocessing.named("tf"), (13, 9), 3)
    expected = model([tensor[None], np.zeros((1, 4), np.float32)])[0]
    np.testing.assert_allclose(array(result, "probabilities"), expected, rtol=1e-5)


async def test_a_job_reads_several_images(bench):
    """The images have different sizes, and there are more of them than are decoded at once."""
    photos = [photo(seed, height=20 + 3 * seed, width=40 - 2 * seed) for seed in range(5)]
    ids = [(await bench.store.images.put("tester", each, "PNG", 1, 1)).id for each in photos]
    slices: list[Slice] = []
    result = await bench.run("top_patches", images=ids, channels=(4, 1), count=5, on_slice=slices.append)
    assert (slices[-1].step, slices[-1].total) == (5, 5)
    assert result.timings.decode is not None
    model = await bench.pipeline.models.get("tiny")
    tensors = [model.prepare(np.asarray(Image.open(io.BytesIO(each))))[0] for each in photos]
    maps = model.probe.forward(np.stack(tensors), ["relu"]).activations["relu"][..., [4, 1]]
    best = maps.max(axis=(1, 2)).T
    values = -np.sort(-best, axis=1)
    np.testing.assert_allclose(array(result, "values"), values, rtol=1e-5)
    np.testing.assert_array_equal(array(result, "positions")[..., 0], np.where(values > 0, np.argsort(-best, axis=1), -1))


async def test_masks_of_regions_come_with_their_photos(bench):
    """The second photo has a box, and the mask of the third one is the first photo itself."""
    contents = [photo(seed, height=20, width=40) for seed in range(4)]
    ids = [(await bench.store.images.put("tester", each, "PNG", 40, 20)).id for each in contents]
    given = {"methods": ["saliency", "grad_x_input"], "measures": ["relevance_mass"], "images": ids[:3]}
    regions = [{"mask": ids[3]}, {"box": [0, 20, 20, 20]}, {"mask": ids[0]}]
    submission = resolved("rank_methods", await bench.published(), regions=regions, **given)
    (execution,) = await bench.claim(dataclasses.replace(submission, image_ids=tuple(ids)))
    params = RankMethods.model_validate_json(execution.params)
    inputs = (await bench.pipeline._inputs.load(execution, params, await bench.pipeline.models.get("tiny"))).inputs
    assert set(inputs.region_masks) == {ids[3], ids[0]}
    for found, content in zip((*inputs.several, inputs.region_masks[ids[3]]), contents, strict=True):
        np.testing.assert_array_equal(found.photo.image, np.asarray(Image.open(io.BytesIO(content))))
    assert inputs.region_masks[ids[0]] is inputs.several[0]


async def test_the_error_names_the_broken_one_of_several_images(bench):
    ids = [(await bench.store.images.put("tester", each, "PNG", 1, 1)).id for each in (photo(1), photo(2)[:200], photo(3))]
    (execution,) = await bench.claim(resolved("top_patches", await bench.published(), images=ids))
    with pytest.raises(InvalidImage, match=rf"^Image 1 \({ids[1]}\): "):
        await bench.pipeline.run(execution, lambda _: None)


async def test_bad_input_raises_the_error_that_names_it(bench):
    published = await bench.published()
    (text,) = await bench.claim(resolved("predict", published, b"this is no image, whatever its name says"))
    with pytest.raises(UnsupportedFormat, match="none of JPEG, PNG"):
        await bench.pipeline.run(text, lambda _: None)
    (execution,) = await bench.claim(resolved("predict", published, photo(3)))
    with pytest.raises(UnknownModel, match=r"no model 'tinny'.*tiny"):
        await bench.pipeline.run(dataclasses.replace(execution, model="tinny"), lambda _: None)


async def test_a_job_reads_the_image_that_its_target_names(bench):
    own, other = photo(1, 40, 30), photo(2, 25, 33)
    image = (await bench.store.images.put("tester", other, "PNG", 33, 25)).id
    result = await bench.run("saliency", own, target={"similarity": {"image": image, "layer": "mean"}})
    model = await bench.pipeline.models.get("tiny")
    tensors = [model.prepare(np.asarray(Image.open(io.BytesIO(each))))[0] for each in (own, other)]
    one, two = model.probe.forward(np.stack(tensors), ["mean"]).activations["mean"].astype(np.float64)
    facts = json.loads(result.facts)
    assert facts["value"] == pytest.approx(float(one @ two / np.linalg.norm(one) / np.linalg.norm(two)), abs=1e-5)
    assert (facts["target"], facts["class_index"]) == (f"cosine with image {image[:12]}", None)


async def test_jobs_with_different_target_images_do_not_share_a_batch(bench):
    images = [(await bench.store.images.put("tester", photo(seed), "PNG", 45, 31)).id for seed in (3, 4)]
    published = await bench.published()
    executions = await bench.claim(
        *(resolved("saliency", published, photo(3), target={"similarity": {"image": image, "layer": "mean"}}) for image in images)
    )
    results = await asyncio.gather(*(bench.pipeline.run(each, lambda _: None) for each in executions))
    values = [json.loads(result.facts)["value"] for result in results]
    assert values[0] == pytest.approx(1, abs=1e-5)  # the photo itself
    assert values[1] < 0.9999


async def test_the_error_names_the_targets_broken_image(bench):
    broken = (await bench.store.images.put("tester", photo(2)[:200], "PNG", 1, 1)).id
    target = {"similarity": {"image": broken, "layer": "mean"}}
    (execution,) = await bench.claim(resolved("saliency", await bench.published(), photo(1), target=target))
    with pytest.raises(InvalidImage, match=rf"^The target's image \({broken}\): "):
        await bench.pipeline.run(execution, lambda _: None)
