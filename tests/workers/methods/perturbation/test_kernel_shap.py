"""KernelSHAP: Shapley values against their definition, and the whole method on a model that is worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest

from schemas.limits import MethodLimits
from schemas.methods.perturbation.kernel_shap import KernelShap, KernelShapFacts
from tests.drawn import drawn
from tests.workers.methods.linear import LinearProbe, driven
from tests.workers.methods.support import photo_of
from workers.contract.artifacts import Array
from workers.contract.inputs import Inputs
from workers.methods.perturbation import kernel_shap
from workers.methods.perturbation.segment_scores import SegmentResult

# The input has 4 × 6 pixels. The first class reads the upper left quarter minus the lower right one, the second reads the left half.
REGIONS = np.zeros((3, 4, 6, 3))
REGIONS[0, :2, :3], REGIONS[0, 2:, 3:], REGIONS[1, :, :3] = 1 / 18, -1 / 18, 1 / 36
IMAGE = np.random.default_rng(3).uniform(1, 2, (1, 4, 6, 3)).astype(np.float32)


def game(visible: np.ndarray) -> np.ndarray:
    """Return the scores of two games: 2·a + b·c − d, and a·b·c·e."""
    a, b, c, d, e = visible.T.astype(float)
    return np.stack([2 * a + b * c - d, a * b * c * e], axis=1)


def by_definition(scores_of: Callable[[np.ndarray], np.ndarray], players: int) -> np.ndarray:
    """Return the Shapley values: the mean over all orders of what a player adds to those before it."""
    values, orders = np.zeros((2, players)), list(permutations(range(players)))
    for order in orders:
        visible = np.zeros((players + 1, players), bool)
        for place, player in enumerate(order):
            visible[place + 1 :, player] = True
        values[:, list(order)] += np.diff(scores_of(visible), axis=0).T
    return values / len(orders)


def test_all_combinations_give_the_shapley_values() -> None:
    visible = kernel_shap.combinations(32, 5, seed=0)
    assert len(np.unique(visible, axis=0)) == 32
    found = kernel_shap.shapley_values(visible, game(visible), kernel_shap.kernel(visible))
    np.testing.assert_allclose(found, by_definition(game, 5), atol=1e-9)
    np.testing.assert_allclose(found[0], [2, 0.5, 0.5, -1, 0], atol=1e-9)
    np.testing.assert_allclose(found[1], [0.25, 0.25, 0.25, 0, 0.25], atol=1e-9)


def test_the_shapley_kernel_by_hand() -> None:
    # of 3 segments: C(3, 1)·1·2 = 6 and C(3, 2)·2·1 = 6, so each combination between counts (3 − 1) / 6
    visible = kernel_shap.all_of(3)
    np.testing.assert_allclose(kernel_shap.kernel(visible), [0, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 0])


def test_samples_come_in_pairs_in_proportion_to_the_kernel() -> None:
    visible = kernel_shap.sampled(4002, 10, seed=4)
    assert visible.shape == (4002, 10)
    assert not visible[0].any()
    assert visible[-1].all()
    np.testing.assert_array_equal(visible[1:-1:2], ~visible[2:-1:2])
    sizes = visible[1:-1].sum(axis=1)
    # the sizes 1 and 9 have the share (1/9) / Σ 1/(k·(10 − k)) each; five standard deviations are 0.034
    chances = 1 / (np.arange(1, 10) * np.arange(9, 0, -1))
    assert np.isin(sizes, (1, 9)).mean() == pytest.approx(2 * chances[0] / chances.sum(), abs=0.034)


def test_samples_estimate_the_values_and_sum_to_the_difference() -> None:
    def scores(visible: np.ndarray) -> np.ndarray:
        return (visible @ np.arange(20.0) + 3 * visible[:, 0] * visible[:, 1])[:, None]

    visible = kernel_shap.combinations(1500, 20, seed=1)
    found = kernel_shap.shapley_values(visible, scores(visible), kernel_shap.kernel(visible))[0]
    expected = np.arange(20) + np.array([1.5, 1.5] + [0] * 18)
    np.testing.assert_allclose(found, expected, atol=0.15)
    assert found.sum() == pytest.approx(scores(visible[-1:])[0, 0])


def attribution(**changes: object) -> tuple[SegmentResult, KernelShap]:
    probe = LinearProbe(REGIONS)
    given = {"segmentation": "grid", "segments": 4, "samples": 16, "baseline": "black", **changes}
    params = KernelShap.model_validate(given).resolve(probe.published, MethodLimits())
    return driven(kernel_shap.run(probe, Inputs(IMAGE), params))[1], params


def test_a_linear_model_has_the_values_of_its_regions() -> None:
    found, params = attribution(class_index=(0, 1))
    cells = [IMAGE[0, rows, columns].mean() for rows in (slice(2), slice(2, 4)) for columns in (slice(3), slice(3, 6))]
    expected = np.array([[cells[0], 0, 0, -cells[3]], [cells[0] / 2, 0, cells[2] / 2, 0]])
    np.testing.assert_allclose(found.weights, expected, atol=1e-5)
    np.testing.assert_allclose(found.maps, expected.reshape(2, 2, 2).repeat(2, axis=1).repeat(3, axis=2), atol=1e-5)
    photo = photo_of()
    output = drawn(kernel_shap.draw(found, photo, params), photo)
    facts = KernelShapFacts.model_validate(dict(output.facts))
    assert facts.exact
    assert facts.segments == 4
    assert facts.masks == 16
    assert facts.base_scores == pytest.approx((0, 0), abs=1e-6)
    assert facts.whole_scores[0] == pytest.approx(cells[0] - cells[3], abs=1e-5)
    arrays = {artifact.name: artifact.array for artifact in output.artifacts if isinstance(artifact, Array)}
    assert arrays["segments"].tolist() == [[0, 0, 0, 1, 1, 1]] * 2 + [[2, 2, 2, 3, 3, 3]] * 2
    assert arrays["weights"].shape == (2, 4)


def test_a_class_that_no_segment_changes_has_no_map() -> None:
    found, _ = attribution(class_index=2)
    assert not found.weights.any()
