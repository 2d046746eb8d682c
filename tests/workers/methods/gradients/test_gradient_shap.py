"""Gradient SHAP on a model that is a formula: the logit is Σ W·x², so that ∂y/∂x = 2·W·x."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.gradients.gradient_shap import GradientShap, GradientShapFacts
from schemas.models import Preprocessing
from tests.workers.methods.gradients.support import Recorded, W, resolved
from tests.workers.methods.linear import driven
from tests.workers.methods.support import FormulaProbe, batch, photo_of, published
from workers.contract.inputs import Inputs
from workers.methods.gradients import gradient_shap
from workers.methods.gradients.gradient_shap import RandomLines
from workers.methods.gradients.path_baselines import path_baseline

WHITE = 255.0  # in the formula model's input units


def test_the_values_are_those_of_the_points_worked_by_hand() -> None:
    """On the line from b to x, the gradient at the point α is 2·W·(b + α·(x − b))."""
    x, given = batch(1), resolved("gradient_shap", class_index=(2, 0), samples=30, baselines=["black", "white"], seed=3)
    points = RandomLines(x[0], given, Preprocessing()).points
    starts = np.array([0, WHITE] * 15)[:, None, None, None]
    directions = x - starts
    mean = (directions * (starts + points[:, None, None, None] * directions)).mean(axis=0)
    probe = Recorded()
    slices, found = driven(gradient_shap.run(probe, Inputs(x), given))
    np.testing.assert_allclose(found.attribution.values, [2 * W[c] * mean for c in (2, 0)], rtol=1e-4)
    np.testing.assert_allclose(found.maps[0], (2 * W[2] * mean).sum(axis=-1), rtol=1e-3, atol=1)
    of_white = W.sum(axis=1) * 24 * WHITE**2
    np.testing.assert_allclose(found.baseline_scores, of_white[[2, 0]] / 2, rtol=1e-5)
    np.testing.assert_allclose(found.difference, [each.logit for each in found.attribution.classes] - found.baseline_scores, rtol=1e-6)
    assert (slices[-1].step, slices[-1].total) == (62, 62)  # two baselines, and a gradient for each sample and class


def test_the_attributions_come_near_to_the_difference_of_the_scores() -> None:
    """The gradient is linear along the line, so stratified points miss the mean of α by at most 1 / samples."""
    for samples in (20, 400):
        given = resolved("gradient_shap", class_index=1, samples=samples, baselines=["white"], seed=5)
        _, found = driven(gradient_shap.run(FormulaProbe(), Inputs(batch(1)), given))
        assert found.errors[0] < 2 / samples
    facts = gradient_shap.draw(found, photo_of(), given).facts
    assert isinstance(facts, GradientShapFacts)
    assert facts.attributed[0] == pytest.approx(facts.score_difference[0], rel=0.005)


def test_each_baseline_has_stratified_points_and_its_share() -> None:
    x, given = batch(1)[0], GradientShap(samples=7, baselines=("black", "random", "white"), seed=2)
    lines = RandomLines(x, given, Preprocessing())
    for first, count in ((0, 3), (1, 2), (2, 2)):
        np.testing.assert_array_equal(np.sort(np.floor(lines.points[first::3] * count)), np.arange(count))
    np.testing.assert_array_equal(lines.distinct(), [0, 1, 2, 4])
    np.testing.assert_allclose(lines.shares(), np.array([3, 1, 2, 1]) / 7)
    starts = lines.starts(np.arange(7))
    assert not starts[[0, 3, 6]].any()
    assert (starts[[2, 5]] == WHITE).all()
    np.testing.assert_array_equal(starts[4], path_baseline("random", x, Preprocessing(), (2, 4)))
    assert not np.allclose(starts[1], starts[4])
    np.testing.assert_allclose(lines.at_points(slice(2, 4))[0], WHITE + lines.points[2] * (x - WHITE), rtol=1e-5)


def test_noise_and_seed_decide_the_ends() -> None:
    def values(**params: object) -> np.ndarray:
        given = resolved("gradient_shap", samples=6, **params)
        return driven(gradient_shap.run(FormulaProbe(), Inputs(batch(1)), given))[1].attribution.values

    np.testing.assert_array_equal(values(seed=5, noise=0.1), values(seed=5, noise=0.1))
    assert not np.allclose(values(seed=5), values(seed=6))
    assert not np.allclose(values(seed=5), values(seed=5, noise=0.1))
    x = batch(1)[0]
    ends = RandomLines(x, GradientShap(noise=0.5, samples=400), Preprocessing()).ends(slice(0, 400))
    np.testing.assert_allclose(ends.mean(axis=0), x, atol=0.5)
    assert (ends - x).std() == pytest.approx(0.5 * np.ptp(x), rel=0.05)


def test_a_warning_tells_about_a_sum_that_is_far_off() -> None:
    given = resolved("gradient_shap", class_index=1, samples=1, baselines=["white"], noise=0.01)
    _, found = driven(gradient_shap.run(FormulaProbe(), Inputs(batch(1)), given))
    (warning,) = gradient_shap.draw(found, photo_of(), given).warnings
    assert warning.startswith("goldfish (1): the sum of the attributions misses the score's difference by")
    assert warning.endswith("Take more than 1 `samples`, or less `noise`.")


def test_the_number_of_gradients_is_limited() -> None:
    with pytest.raises(LimitExceeded, match="at most 8,192 gradients") as raised:
        GradientShap(samples=900, class_index=tuple([0, 1] * 5)).resolve(published(), MethodLimits())
    assert raised.value.pointer == "/params/samples"
