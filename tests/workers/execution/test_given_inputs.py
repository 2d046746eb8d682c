"""Jobs whose models have several inputs, or take arrays: what a worker computes is what a direct call of the model gives."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from catalog.catalog import load_catalog
from decoding.array_file import array_file
from jobstore.records import Execution, Result, Submission
from schemas.errors import InvalidParameters
from tests.workers.execution.bench import PipelineBench, array
from tests.workers.jobs import resolved
from tests.workers.tiny import photo
from tests.zoo.several_inputs import colour_and_depth, of_channels, photo_and_values, siamese
from workers.methods import implementation
from workers.models.pool import ModelPool

for _method in ("predict", "saliency", "grad_cam", "occlusion", "guided_backprop", "rise", "smooth_grad"):
    implementation(_method)  # the module is imported here, because this takes longer than the event loop may be busy


def file_id(content: bytes) -> str:
    return f"img_{hashlib.sha256(content).hexdigest()}"


def resized(content: bytes, height: int = 13, width: int = 9) -> np.ndarray:
    """Return a photo as an input of the values 0-255, float32 (1, H, W, 3)."""
    image = Image.open(io.BytesIO(content)).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(image, np.float32)[None]


@dataclasses.dataclass
class Served:
    """A model that the bench's worker has, and how to run jobs of it."""

    bench: PipelineBench
    pool: ModelPool
    model: keras.Model

    def submission(self, method: str, image: bytes | None, inputs: dict[str, bytes] | None = None, **params: Any) -> Submission:
        given = inputs or {}
        published = self.pool.get("served").published
        seen = published.seen_from(str(params.get("input") or published.description.input.name))
        return dataclasses.replace(
            resolved(method, seen, image, **params),
            inputs={name: file_id(content) for name, content in given.items()},
            input_files={file_id(content): content for content in given.values()},
        )

    async def run(self, method: str, image: bytes | None, inputs: dict[str, bytes] | None = None, **params: Any) -> Result:
        (execution,) = await self.bench.claim(self.submission(method, image, inputs, **params))
        result = await self.bench.pipeline.run(execution, lambda _: None)
        assert await self.bench.store.queue.complete(execution, result)  # otherwise the next claim may take it over
        return result


def serve(bench: PipelineBench, folder: Path, model: keras.Model, settings: str = "") -> Served:
    model.save(folder / "served.keras")
    (folder / "served.toml").write_text(settings)
    pool = ModelPool(load_catalog(folder / "none.toml", folder), 10**9)
    bench.pipeline.models._loader = pool
    return Served(bench, pool, model)


async def test_values_by_name(bench: PipelineBench, tmp_path: Path) -> None:
    served, own = serve(bench, tmp_path, photo_and_values()), photo(1)
    numbers, month = np.array([3.2, -1.5], np.float32), np.array([4], np.int32)
    both = {"metadata": array_file(numbers), "month": array_file(month)}
    result = await served.run("predict", own, both)
    expected = served.model([resized(own), numbers[None], month[None]])[0]
    np.testing.assert_allclose(array(result, "probabilities"), expected, rtol=1e-4, atol=1e-7)
    assert result.warnings == ()
    assert result.provenance.inputs == {"photo": file_id(own), **{name: file_id(content) for name, content in both.items()}}
    result = await served.run("predict", own, {"month": both["month"]})
    assert result.warnings == ("The photo goes to input 'photo'. The model's other inputs (metadata) were given zeros.",)
    expected = served.model([resized(own), np.zeros((1, 2), np.float32), month[None]])[0]
    np.testing.assert_allclose(array(result, "probabilities"), expected, rtol=1e-4, atol=1e-7)


async def test_jobs_with_different_values_never_get_each_others(bench: PipelineBench, tmp_path: Path) -> None:
    """Two jobs give the same month for different photos, so these two may share a batch."""
    served, pairs = serve(bench, tmp_path, photo_and_values()), [(1, 0), (1, 3), (2, 3), (1, 6)]
    jobs = [served.submission("predict", photo(seed), {"month": array_file(np.array([month], np.int32))}) for seed, month in pairs]
    executions: list[Execution] = await bench.claim(*jobs)
    results = await asyncio.gather(*(bench.pipeline.run(each, lambda _: None) for each in executions))
    for (seed, month), result in zip(pairs, results, strict=True):
        expected = served.model([resized(photo(seed)), np.zeros((1, 2), np.float32), np.array([[month]])])[0]
        np.testing.assert_allclose(array(result, "probabilities"), expected, rtol=1e-4, atol=1e-7)


async def test_a_siamese_pair_is_explained_from_either_side(bench: PipelineBench, tmp_path: Path) -> None:
    served, left, right = serve(bench, tmp_path, siamese(), 'preprocessing = "tf"'), photo(1), photo(2, 40, 30)
    inputs = [resized(each) / 127.5 - 1 for each in (left, right)]
    for index, name in enumerate(("left", "right")):
        result = await served.run("saliency", left, {"right": right}, input=name, class_index=2)
        x = tf.constant(inputs[index])
        with tf.GradientTape() as tape:
            tape.watch(x)
            tower, dense = served.model.get_layer("tower"), served.model.get_layer("classes")
            pair = [x if at == index else inputs[at] for at in (0, 1)]
            score = (tf.concat([tower(each) for each in pair], axis=1) @ dense.kernel + dense.bias)[0, 2]
        np.testing.assert_allclose(array(result, "attribution"), np.asarray(tape.gradient(score, x))[0], rtol=1e-3, atol=1e-6)
        overlay = next(each.description for each in result.artifacts if each.description.name == "overlay")
        assert overlay.shape == ((31, 45, 3), (40, 30, 3))[index], "the photo of the explained input is shown"


async def test_grad_cam_and_occlusion_of_depth(bench: PipelineBench, tmp_path: Path) -> None:
    served, own = serve(bench, tmp_path, colour_and_depth()), photo(1)
    depth = np.random.default_rng(3).integers(0, 5, (13, 9)).astype(np.uint16)
    result = await served.run("grad_cam", own, {"depth": array_file(depth)}, input="depth", class_index=1)
    x = depth.astype(np.float32)[None, ..., None]
    conv = served.model.get_layer("depth_conv")
    maps = conv(x)
    dense = served.model.get_layer("classes")
    weights = dense.kernel.numpy()[4:, 1] / (9 * 5)  # the mean over 9 × 5 positions gives each the same gradient
    expected = np.maximum((maps.numpy()[0] * weights).sum(axis=-1), 0)
    np.testing.assert_allclose(array(result, "map"), expected, rtol=1e-4, atol=1e-5)
    assert json.loads(result.facts)["layer"] == "depth_conv"
    result = await served.run(
        "occlusion", own, {"depth": array_file(depth)}, input="depth", class_index=1, window=(13, 9), baseline="black"
    )
    whole, without = (served.model([resized(own), each])[0, 1] for each in (x, np.zeros_like(x)))
    np.testing.assert_allclose(array(result, "map"), np.full((13, 9), whole - without), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint16), pytest.param(2, np.float32, marks=pytest.mark.slow), (13, np.uint16)])
async def test_an_array_reaches_the_model_as_it_is(bench: PipelineBench, tmp_path: Path, channels: int, dtype: type) -> None:
    served = serve(bench, tmp_path, of_channels(channels), 'preprocessing = "tf"')
    values = np.random.default_rng(channels).integers(0, 65536, (13, 9, channels)).astype(dtype)
    given = values[..., 0] if channels == 1 else values
    result = await served.run("grad_cam", array_file(given), class_index=1)
    x = values.astype(np.float32)[None]
    maps = served.model.get_layer("conv")(x).numpy()[0]
    weights = served.model.get_layer("classes").kernel.numpy()[:, 1] / (11 * 7)
    np.testing.assert_allclose(array(result, "map"), np.maximum((maps * weights).sum(axis=-1), 0), rtol=1e-3, atol=1e-2)
    predicted = await served.run("predict", array_file(given))
    np.testing.assert_allclose(array(predicted, "probabilities"), served.model(x)[0], rtol=1e-3, atol=1e-6)
    for method in ("guided_backprop", "rise", "smooth_grad"):
        few: dict[str, Any] = {"rise": {"masks": 6}, "smooth_grad": {"samples": 2}}.get(method, {})
        drawn = await served.run(method, array_file(given), class_index=1, **few)
        assert next(each.description for each in drawn.artifacts if each.description.name == "overlay").shape == (13, 9, 3)


async def test_settings_let_an_array_be_preprocessed(bench: PipelineBench, tmp_path: Path) -> None:
    settings = '[inputs.image]\narrays = "preprocessed"\n[inputs.image.preprocessing]\nmode = "custom"\nmean = [10, 20]\nstd = [2, 4]\n'
    served = serve(bench, tmp_path, of_channels(2), settings)
    values = np.random.default_rng(5).uniform(0, 50, (13, 9, 2)).astype(np.float32)
    result = await served.run("predict", array_file(values))
    expected = served.model((values[None] - np.array([10, 20], np.float32)) / np.array([2, 4], np.float32))[0]
    np.testing.assert_allclose(array(result, "probabilities"), expected, rtol=1e-4, atol=1e-7)


async def test_an_array_of_another_size_is_refused_by_the_worker_too(bench: PipelineBench, tmp_path: Path) -> None:
    served = serve(bench, tmp_path, of_channels(2))
    with pytest.raises(InvalidParameters, match=r"takes an array of shape \(13, 9, 2\); got \(12, 9, 2\)"):
        await served.run("predict", array_file(np.zeros((12, 9, 2), np.float32)))
