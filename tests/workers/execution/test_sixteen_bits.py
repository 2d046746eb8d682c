"""A photo of 16-bit grey reaches an input of one channel with all of its levels: as it is, or in units of 0-255."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from decoding.array_file import array_file
from jobstore.records import Result
from tests.workers.execution.bench import PipelineBench, array
from tests.workers.execution.test_given_inputs import serve
from tests.workers.tiny import photo
from tests.zoo.several_inputs import colour_and_depth, of_channels
from workers.methods import implementation

for _method in ("predict", "saliency", "grad_cam", "occlusion"):
    implementation(_method)  # the module is imported here, because this takes longer than the event loop may be busy

VALUES = np.random.default_rng(6).integers(20_000, 20_200, (13, 9), np.uint16)  # 8 bits have one level for all of them
KEPT = "The photo has 16 bits of grey, and the model got its values 0-65535. The input's setting `sixteen_bits` can change this."


def png(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


def logits(result: Result) -> np.ndarray:
    return array(result, "logits")


CUSTOM = "[{}preprocessing]\nmode = 'custom'\nmean = [{}]\nstd = [{}]\n"
PHOTO_UNITS, VALUE_UNITS = CUSTOM.format("", 77.5, 0.5), CUSTOM.format("inputs.image.", 20100, 40)


@pytest.mark.parametrize(
    ("settings", "factor", "offset"),
    [
        ("", 1, 0),
        pytest.param('[inputs.image]\nsixteen_bits = "scaled"\n', 1 / 257, 0, marks=pytest.mark.slow),
        (PHOTO_UNITS, 2 / 257, -155),
        pytest.param(f"[inputs.image]\nsixteen_bits = 'kept'\n{PHOTO_UNITS}", 1, 0, marks=pytest.mark.slow),
        pytest.param(f"[inputs.image]\narrays = 'preprocessed'\n{VALUE_UNITS}", 1 / 40, -502.5, marks=pytest.mark.slow),
    ],
)
async def test_all_levels_reach_the_model(bench: PipelineBench, tmp_path: Path, settings: str, factor: float, offset: float) -> None:
    served = serve(bench, tmp_path, of_channels(1), settings)
    result = await served.run("saliency", png(VALUES), class_index=1)
    x = (VALUES.astype(np.float64) * factor + offset).astype(np.float32)[None, ..., None]
    predicted = await served.run("predict", png(VALUES))
    np.testing.assert_allclose(array(predicted, "probabilities"), served.model(x)[0], rtol=2e-3, atol=1e-6)
    kept = factor in (1, 1 / 40)
    assert (KEPT in result.warnings) == kept
    assert array(result, "map").shape == (13, 9)


@pytest.mark.slow
async def test_a_photo_gives_what_the_array_of_its_values_gives(bench: PipelineBench, tmp_path: Path) -> None:
    served = serve(bench, tmp_path, of_channels(1))
    occlusion = {"window": 4, "stride": 3, "baseline": "white"}
    given: list[tuple[str, dict[str, Any]]] = [("grad_cam", {"class_index": 0}), ("occlusion", occlusion)]
    for method, params in given:
        own, other = [await served.run(method, content, **params) for content in (png(VALUES), array_file(VALUES))]
        np.testing.assert_allclose(array(own, "map"), array(other, "map"), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
async def test_a_photo_of_another_size_is_resized(bench: PipelineBench, tmp_path: Path) -> None:
    served, large = (
        serve(bench, tmp_path, of_channels(1), "[preprocessing]\nmode = 'none'\nresize = 'nearest'\n"),
        VALUES.repeat(3, axis=0).repeat(2, axis=1),
    )
    own, other = [await served.run("predict", png(values)) for values in (large, VALUES)]
    np.testing.assert_allclose(logits(own), logits(other), rtol=1e-5)
    assert own.provenance.fit == "stretch"


@pytest.mark.slow
async def test_depth_beside_a_photo_keeps_its_values(bench: PipelineBench, tmp_path: Path) -> None:
    served, own = serve(bench, tmp_path, colour_and_depth(), "preprocessing = 'none'\n"), photo(1)
    one, other = [await served.run("predict", own, {"depth": content}) for content in (png(VALUES), array_file(VALUES))]
    np.testing.assert_allclose(logits(one), logits(other), rtol=1e-5)
    plain = await served.run("predict", own, {"depth": png((VALUES >> 8).astype(np.uint8))})
    assert np.abs(logits(plain) - logits(one)).max() > 1


@pytest.mark.slow
async def test_a_colour_input_gets_8_bits(bench: PipelineBench, tmp_path: Path) -> None:
    served = serve(bench, tmp_path, of_channels(3))
    own, other = [await served.run("predict", png(values)) for values in (VALUES, (VALUES >> 8).astype(np.uint8))]
    np.testing.assert_allclose(logits(own), logits(other), rtol=1e-5)
    assert KEPT not in own.warnings
