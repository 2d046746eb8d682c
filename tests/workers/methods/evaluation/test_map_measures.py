"""Measures on a linear model, whose occlusion map with windows of one pixel shows each pixel's own share in the logit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.evaluation.map_measures import MapMeasures
from schemas.methods.evaluation.map_measures_facts import MapMeasuresFacts
from tests.workers.methods.linear import LinearProbe, driven
from workers.contract.artifacts import Array, Output
from workers.contract.inputs import Inputs, Prepared
from workers.methods.evaluation import map_measures

ROW = np.array([2, 4, 1, 3], np.float32).reshape(1, 1, 4, 1)
PHOTO = Photo(np.random.default_rng(0).integers(0, 256, (3, 8, 3), np.uint8), Placement((1, 4), (0, 0, 1, 4), (0, 0, 3, 8)))
MASK_ID = "img_" + "a" * 64
MASK = np.zeros((3, 8, 3), np.uint8)
MASK[:, 2:4] = 255
EXACT = {"attribution": "occlusion", "options": {"window": 1, "baseline": "black"}, "score": "logit", "class_index": 0}


def measured(linear: np.ndarray, mask: np.ndarray | None = None, **changes: Any) -> Output:
    probe = LinearProbe(linear)
    params = MapMeasures.model_validate({**EXACT, **changes}).resolve(probe.published, MethodLimits())
    masks = {} if mask is None else {MASK_ID: Prepared(Photo(mask, PHOTO.placement), ROW[0])}
    inputs = Inputs(ROW, PHOTO.image, photos=(PHOTO,), region_masks=masks)
    slices, result = driven(map_measures.run(probe, inputs, params))
    assert [each.step for each in slices] == sorted(each.step for each in slices)
    assert slices[-1].step == slices[-1].total
    return map_measures.draw(result, PHOTO, params)


def facts(output: Output) -> MapMeasuresFacts:
    assert isinstance(output.facts, MapMeasuresFacts)
    return output.facts


def values(output: Output) -> dict[str, float | None]:
    return {each.measure: each.value for each in facts(output).measures}


ONES = np.ones((1, 1, 4, 1))


def test_what_asks_the_model_nothing() -> None:
    found = values(measured(ONES, measures=["sparseness", "complexity"]))
    assert found["sparseness"] == pytest.approx((-3 * 1 - 2 + 3 + 3 * 4) / (4 * 10))
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    assert found["complexity"] == pytest.approx(-(shares @ np.log(shares)))


def test_the_true_map_of_a_linear_model_is_not_infidel() -> None:
    """The mean 2.5 takes the place of what is removed, so the fall is the map minus 2.5 for each pixel, and not the map itself."""
    output = measured(ONES, measures=["infidelity"], perturbations=40)
    (found,) = facts(output).measures
    assert found.value is not None
    assert found.value < 1  # without the map, it would be the mean of the squared falls
    assert found.scale is not None
    assert found.scale > 0
    assert found.morf is None


def test_road_removes_the_strongest_and_the_weakest_first() -> None:
    output = measured(ONES, measures=["road"])
    (road,) = (each.array for each in output.artifacts if isinstance(each, Array) and each.name == "road")
    assert road.shape == (3, 9)
    np.testing.assert_allclose(road[0], np.arange(1, 10) / 10, rtol=1e-6)
    # 0.3 of 4 pixels are 1 pixel: without 4 the row is 2, 1.5, 1, 3, and without 1 it is 2, 4, 3.5, 3 (and a little noise)
    np.testing.assert_allclose(road[1:, 2], [7.5, 12.5], atol=0.1)
    (found,) = facts(output).measures
    assert (found.morf, found.lerf) == pytest.approx((float(road[1].mean()), float(road[2].mean())), rel=1e-5)
    assert found.value == pytest.approx((road[2].mean() - road[1].mean()) / 2, rel=1e-5)


def test_deletion_and_insertion_are_those_of_faithfulness() -> None:
    found = values(measured(ONES, measures=["deletion", "insertion"]))
    # the pixels in the order 4, 3, 2, 1 become 2.5, after 3, 8, 13 and 18 of the 20 steps
    counts = np.rint(np.arange(21) / 5)
    left = 10 - np.concatenate([[0], np.cumsum([1.5, 0.5, -0.5, -1.5])])[counts.astype(int)]
    assert found["deletion"] == pytest.approx(np.trapezoid(left, counts / 4))
    assert found["insertion"] is not None


def test_the_map_of_a_linear_model_changes_with_the_image_alone() -> None:
    """A map is the input itself here, so it changes by at most the radius times 255 (this model has no preprocessing) at each pixel."""
    found = values(measured(ONES, measures=["max_sensitivity"], radius=0.01, disturbances=4))["max_sensitivity"]
    assert found is not None
    assert 0.1 < found <= 2.55 * 2 / np.sqrt(30) + 1e-6


def test_random_logit_compares_with_other_classes() -> None:
    """The map of class 1 is that of class 0 upside down, and that of class 2 is the same."""
    linear = np.stack([np.ones((1, 4, 1)), -np.ones((1, 4, 1)), np.full((1, 4, 1), 0.5)])
    assert values(measured(linear, measures=["random_logit"], other_classes=9))["random_logit"] == pytest.approx(0)
    assert values(measured(linear[:2], measures=["random_logit"]))["random_logit"] == pytest.approx(-1)


@pytest.mark.parametrize("region", [{"box": [0, 2, 3, 2]}, {"mask": MASK_ID}])
def test_a_box_and_a_mask_lie_in_pixels_of_the_photo(region: dict[str, Any]) -> None:
    """The columns 2 and 3 of the photo lie under the pixel 1 of the input, whose value is 4."""
    output = measured(ONES, MASK, measures=["pointing_game", "relevance_mass", "relevance_rank"], region=region)
    assert values(output) == {"pointing_game": 1, "relevance_mass": pytest.approx(0.4), "relevance_rank": 1}
    assert facts(output).region_share == 0.25


def test_a_region_that_the_model_does_not_see_is_refused() -> None:
    with pytest.raises(InvalidParameters, match="does not see") as refused:
        measured(ONES, measures=["pointing_game"], region={"box": [90, 90, 4, 4]})
    assert refused.value.pointer == "/params/region"


def test_the_cost_is_counted() -> None:
    """One image to find the class, one and four to make the map, and 18 for road."""
    assert facts(measured(ONES, measures=["road"])).forward_passes == 1 + 1 + 4 + 18
    assert facts(measured(ONES, measures=["max_sensitivity"], disturbances=3)).forward_passes == 1 + 4 * (1 + 4)


def test_a_map_without_contrast_has_no_measures_and_a_warning() -> None:
    output = measured(np.zeros((1, 1, 4, 1)), measures=["sparseness", "complexity", "max_sensitivity"], disturbances=1)
    assert set(values(output).values()) == {None}
    assert any("no value of these measures" in warning for warning in output.warnings)
