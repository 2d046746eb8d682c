"""A job chooses how its photo is brought to the model's input, and its map, its regions and its batch follow.

The photo has 12 × 32 pixels (height × width) and is black but for a red square at rows 4 to 7 and columns 20 to 23. The input has 6 × 8.
"""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from catalog.catalog import load_catalog
from rendering.overlays.unseen import faded
from tests.workers.execution.bench import PipelineBench, array
from tests.workers.jobs import resolved
from tests.workers.tiny import photo
from workers.methods import implementation
from workers.models.pool import ModelPool

for _method in ("grad_cam", "saliency", "predict_batch"):
    implementation(_method)  # the module is imported here, because this takes longer than the event loop may be busy

SIDE_FILE = """
default_layer = "features"
head = "logits"
[preprocessing]
mode = "custom"
mean = [0.0]
std = [255.0]
resize = "area"
"""
# Where the red square lies in the input: rows and columns. With stretch, an input pixel is 2 × 4 pixels of the photo. With crop, it is
# 2 × 2 pixels, and the input begins at column 8. With letterbox, it is 4 × 4, and the photo fills rows 1 to 3.
PLACES = {
    "stretch": (slice(2, 4), slice(5, 6)),
    "crop": (slice(2, 4), slice(6, 8)),
    "letterbox": (slice(2, 3), slice(5, 6)),
}


def red_square() -> np.ndarray:
    image = np.zeros((12, 32, 3), np.uint8)
    image[4:8, 20:24, 0] = 255
    return image


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def save_redness(folder: Path) -> None:
    """Save a segmentation whose class 0 has the redness of each input pixel as its logit, and class 1 the opposite."""
    inputs = keras.Input((6, 8, 3), name="photo")
    features = keras.layers.Conv2D(1, 1, use_bias=False, name="features")
    classes = keras.layers.Conv2D(2, 1, use_bias=False, name="classes")
    model = keras.Model(inputs, classes(features(inputs)))
    features.set_weights([np.array([1, 0, 0], np.float32).reshape(1, 1, 3, 1)])
    classes.set_weights([np.array([1, -1], np.float32).reshape(1, 1, 1, 2)])
    model.save(folder / "redness.keras")
    (folder / "redness.toml").write_text(SIDE_FILE)


@pytest.mark.parametrize("fit", [None, *PLACES])
async def test_maps_and_regions_lie_where_the_fit_puts_the_photo(bench: PipelineBench, tmp_path: Path, fit: Any) -> None:
    save_redness(tmp_path)
    pool = ModelPool(load_catalog(tmp_path / "none.toml", tmp_path), 10**9)
    bench.pipeline.models._loader = pool
    target = {"region": {"class": 0, "where": {"box": [4, 20, 4, 4]}}}
    job = resolved("grad_cam", pool.get("redness").published, png(red_square()), target=target, fit=fit, colormap="gray")
    (execution,) = await bench.claim(job)
    result = await bench.pipeline.run(execution, lambda _: None)

    redness = np.zeros((6, 8))
    redness[PLACES[fit or "stretch"]] = 1
    assert json.loads(result.facts)["value"] == pytest.approx(redness.sum())  # the box holds the square, and nothing else
    np.testing.assert_allclose(array(result, "map"), redness.sum() / 48 * redness, atol=1e-6)  # the mean gradient, times the activation

    (overlay,) = (each.content for each in result.artifacts if each.description.name == "overlay")
    drawn = np.asarray(Image.open(io.BytesIO(overlay)).convert("RGB")).astype(int)
    assert drawn.shape == (12, 32, 3)
    white = drawn[..., 2]  # the photo has no blue, so that blue is the map alone, where the model saw the photo
    if fit == "crop":
        white = white * (np.arange(32) // 8 % 3 > 0)  # its centre is 16 pixels wide
    assert np.unravel_index(white.argmax(), white.shape) in [(y, x) for y in range(4, 8) for x in range(20, 24)]
    centre = (white * np.indices(white.shape)).sum(axis=(1, 2)) / white.sum()
    # With crop, the map ends right of the square and cannot fade out there, so its mass lies up to a pixel further left.
    np.testing.assert_allclose(centre, (5.5, 21.5), atol=1.0)
    if fit == "crop":
        cut = np.r_[0:8, 24:32]
        seen = (slice(0, 12), slice(8, 24))
        np.testing.assert_array_equal(drawn[:, cut], faded(red_square().astype(np.uint8), seen)[:, cut])
    assert result.provenance.fit == (fit or "stretch")


@pytest.mark.parametrize("fit", ["crop", "letterbox"])
async def test_what_the_model_did_not_see_is_zero_and_the_bars_are_the_mean(bench: PipelineBench, fit: Any) -> None:
    """The inputs have 24 × 20 pixels, and the photo 31 × 45: crop takes its 25.8 columns from 9, letterbox fills 14 of the 24 rows."""
    model = await bench.pipeline.models.get("tiny")
    image = np.asarray(Image.open(io.BytesIO(photo(1))))
    tensor, placement = model.prepare(image, None, fit)
    if fit == "crop":
        assert placement.box == (0, 0, 24, 20)
        assert placement.source == pytest.approx((0, 9, 31, 31 * 20 / 24))
    else:
        assert (placement.box, placement.source) == ((5, 0, 14, 20), (0, 0, 31, 45))
        assert not tensor[:5].any()
        assert not tensor[19:].any()
        assert (tensor[5:19] != 0).mean() > 0.9


async def test_jobs_of_another_fit_do_not_share_the_targets_image(bench: PipelineBench) -> None:
    own, other = photo(1), photo(2, 25, 33)
    image = (await bench.store.images.put("tester", other, "PNG", 33, 25)).id
    target, published = {"similarity": {"image": image, "layer": "mean"}}, await bench.published()
    executions = await bench.claim(*(resolved("saliency", published, own, target=target, fit=fit) for fit in PLACES))
    results = await asyncio.gather(*(bench.pipeline.run(each, lambda _: None) for each in executions))
    model = await bench.pipeline.models.get("tiny")
    for execution, result in zip(executions, results, strict=True):
        fit = json.loads(execution.params)["fit"]
        tensors = [model.prepare(np.asarray(Image.open(io.BytesIO(each))), None, fit)[0] for each in (own, other)]
        one, two = model.probe.forward(np.stack(tensors), ["mean"]).activations["mean"].astype(np.float64)
        expected = float(one @ two / np.linalg.norm(one) / np.linalg.norm(two))
        assert json.loads(result.facts)["value"] == pytest.approx(expected, abs=1e-5)
        assert result.provenance.fit == fit


async def test_the_photos_of_a_job_of_several_images_have_its_fit(bench: PipelineBench) -> None:
    photos = [photo(seed, height=20 + 3 * seed, width=40 - 2 * seed) for seed in range(3)]
    ids = [(await bench.store.images.put("tester", each, "PNG", 1, 1)).id for each in photos]
    result = await bench.run("predict_batch", images=ids, fit="crop")
    model = await bench.pipeline.models.get("tiny")
    tensors = [model.prepare(np.asarray(Image.open(io.BytesIO(each))), None, "crop")[0] for each in photos]
    expected = model.probe.forward(np.stack(tensors), scores=True).logits
    np.testing.assert_allclose(array(result, "logits"), expected, rtol=1e-4, atol=1e-5)
    assert result.provenance.fit == "crop"


@pytest.mark.slow
async def test_an_inversion_brings_the_photo_of_a_model_of_any_size_to_the_size_asked_for(bench: PipelineBench, tmp_path: Path) -> None:
    inputs = keras.Input((None, None, 3), name="photo")
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3, activation="relu", name="conv")(inputs))
    model.save(tmp_path / "any.keras")
    (tmp_path / "any.toml").write_text("longest_side = 16\n")
    pool = ModelPool(load_catalog(tmp_path / "none.toml", tmp_path), 10**9)
    bench.pipeline.models._loader = pool
    own, _ = pool.get("any").prepare(red_square())
    asked, placement = pool.get("any").prepare(red_square(), None, "letterbox", size=(20, 24))
    assert (own.shape, asked.shape) == ((6, 16, 3), (20, 24, 3))
    assert placement.box == (5, 0, 9, 24)
    for size, fit, shape in ((None, None, (6, 16)), ((20, 24), "letterbox", (20, 24))):
        job = resolved("feature_inversion", pool.get("any").published, png(red_square()), layer="conv", steps=1, size=size, fit=fit)
        (execution,) = await bench.claim(job)
        result = await bench.pipeline.run(execution, lambda _: None)
        assert array(result, "images").shape == (1, *shape, 3)
        scaled = any("longest side may have 16" in warning for warning in result.warnings)
        assert scaled == (size is None)
