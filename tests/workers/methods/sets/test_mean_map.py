"""Mean and spread of maps, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.methods.sets.mean_map import MeanMap, MeanMapFacts
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.artifacts import Array, Output
from workers.contract.inputs import Inputs, Prepared
from workers.contract.map_place import MapPlace
from workers.methods.sets import mean_map
from workers.methods.sets.framed_maps import RunningMap, agreement, framed, seen_of_photo

IDS = tuple(f"img_{number:064x}" for number in range(3))
NO_TENSOR = np.zeros((0, 4, 6, 3), np.float32)


def test_mean_and_spread_count_only_the_maps_that_see_a_place() -> None:
    running = RunningMap((1, 3))
    for values, seen in (([2, 4, 9], [True, True, False]), ([4, 4, 9], [True, True, False]), ([9, 7, 9], [True, False, False])):
        running.add(np.array([values], np.float32), np.array([seen]))
    assert running.count.tolist() == [[3, 2, 0]]
    np.testing.assert_allclose(running.mean, [[5, 4, 0]])
    np.testing.assert_allclose(running.spread, [[np.sqrt(26 / 3), 0, 0]])  # squares of -3, -1 and 4


def test_the_running_numbers_are_those_of_numpy() -> None:
    maps = np.random.default_rng(0).normal(1000, 1, (7, 5, 4)).astype(np.float32)
    running = RunningMap((5, 4))
    for each in maps:
        running.add(each, np.ones((5, 4), bool))
    np.testing.assert_allclose(running.mean, maps.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(running.spread, maps.std(axis=0, dtype=np.float64), rtol=1e-6)


def test_the_bars_of_a_letterbox_show_nothing_of_the_photo() -> None:
    photo = Photo(np.zeros((2, 6, 3), np.uint8), Placement((6, 6), (2, 0, 2, 6), (0, 0, 2, 6)))
    assert seen_of_photo(photo, (6, 6)).tolist() == [[2 <= row < 4] * 6 for row in range(6)]
    assert seen_of_photo(photo, (3, 6)).tolist() == [[row == 1] * 6 for row in range(3)]


def test_a_map_of_another_size_is_stretched_to_the_frame() -> None:
    """Over the input of 2 × 4 the map is 1, 1.5, 2.5, 3, and each column of the frame lies between two of these."""
    found = framed(np.array([[1, 3]], np.float32), MapPlace.whole((2, 4)), (2, 4), (2, 2))
    np.testing.assert_allclose(found, [[1.25, 2.75], [1.25, 2.75]])


def test_agreement_by_hand() -> None:
    rising = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert agreement([rising, 2 * rising, rising + 1]) == pytest.approx(1)
    assert agreement([rising, -rising]) == pytest.approx(-1)
    assert agreement([rising]) is None


def found(tensors: np.ndarray, **changes: Any) -> Output:
    several = tuple(Prepared(photo_of(seed=number), tensor) for number, tensor in enumerate(tensors))
    params = MeanMap.model_validate({"images": IDS, "attribution": "layer_cam", "options": {"layer": "conv"}, **changes})
    slices = mean_map.run(FormulaProbe(), Inputs(NO_TENSOR, None, several), params)
    while True:
        try:
            made = next(slices)
        except StopIteration as stop:
            assert made.step == made.total
            return mean_map.draw(stop.value, None, params)


def arrays(output: Output) -> dict[str, np.ndarray]:
    return {each.name: each.array for each in output.artifacts if isinstance(each, Array)}


def test_the_mean_is_that_of_the_maps_of_the_photos() -> None:
    """The gradient of class 1 at the layer `conv`, which is the input A, is 2·(0, 2, 0)·A; LayerCAM is relu(Σ relu(G)·A)."""
    tensors = batch(3)
    maps = 4 * np.maximum(tensors[..., 1], 0) * tensors[..., 1]
    for scale in ("each", "none"):
        output = found(tensors, class_index=1, scale=scale)
        expected = maps / maps.max(axis=(1, 2), keepdims=True) if scale == "each" else maps
        np.testing.assert_allclose(arrays(output)["mean"], expected.mean(axis=0), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(arrays(output)["spread"], expected.std(axis=0), rtol=1e-4, atol=1e-6)
        assert (arrays(output)["count"] == 3).all()


def test_without_a_class_it_is_the_top_class_of_most_photos() -> None:
    tensors = batch(3)
    best = (tensors**2).sum(axis=(1, 2)) @ FormulaProbe.WEIGHTS.T
    tops = best.argmax(axis=1).tolist()
    facts = found(tensors).facts
    assert isinstance(facts, MeanMapFacts)
    assert facts.top_class == max(tops.count(each) for each in set(tops))
    assert tops.count(facts.class_index) == facts.top_class
    assert facts.frame == (4, 6)


def test_maps_without_contrast_are_counted_and_told() -> None:
    tensors = batch(3)
    tensors[1] = 0
    output = found(tensors, class_index=1)
    assert isinstance(output.facts, MeanMapFacts)
    assert output.facts.flat == 1
    assert any("The map of 1 photos is the same everywhere" in warning for warning in output.warnings)
    assert any("only 3 photos" in warning for warning in output.warnings)
