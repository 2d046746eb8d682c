"""LIME: samples, kernel and regression by hand, and the whole method on a linear model."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.limits import MethodLimits
from schemas.methods.perturbation.lime import Lime, LimeFacts
from tests.drawn import drawn
from tests.workers.methods.linear import LinearProbe, driven
from tests.workers.methods.support import photo_of
from workers.contract.inputs import Inputs
from workers.methods.perturbation import lime

REGIONS = np.zeros((3, 4, 6, 3))
REGIONS[0, :2, :3], REGIONS[0, 2:, 3:] = 1 / 18, -1 / 18
IMAGE = np.random.default_rng(3).uniform(1, 2, (1, 4, 6, 3)).astype(np.float32)


def test_the_first_sample_shows_everything_and_the_others_about_half() -> None:
    visible = lime.samples(500, 40, seed=2)
    assert visible[0].all()
    # five standard deviations of 19,960 draws are 0.018
    assert visible[1:].mean() == pytest.approx(0.5, abs=0.018)
    np.testing.assert_array_equal(visible, lime.samples(500, 40, seed=2))
    assert (visible != lime.samples(500, 40, seed=3)).any()


def test_nearness_by_hand() -> None:
    visible = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]], bool)
    # the cosine distances from (1, 1, 1, 1) are 0, 1 − 1/√4 = 0.5, and 1 for nothing
    expected = np.sqrt(np.exp([-0.0, -(0.5**2) / 0.25**2, -1 / 0.25**2]))
    np.testing.assert_allclose(lime.nearness(visible, 0.25), expected)


def test_the_regression_by_hand() -> None:
    # y = 1 + 2a with the counts 1 and 3: the weighted means are 3/4 and 5/2, Σ count·a² about them is 3/4, Σ count·a·y is 3/2
    visible, scores, counts = np.array([[0], [1]], bool), np.array([[1.0], [3.0]]), np.array([1.0, 3.0])
    plain, fit = lime.fitted(visible, scores, counts, ridge=0)
    assert (plain[0, 0], fit[0]) == (pytest.approx(2), pytest.approx(1))
    # with ridge 0.75 the weight is 1.5 / (0.75 + 0.75) = 1, and half of each deviation is left: R² = 1 − 1/4
    held, fit = lime.fitted(visible, scores, counts, ridge=0.75)
    assert (held[0, 0], fit[0]) == (pytest.approx(1), pytest.approx(0.75))


def test_a_score_that_never_changes_has_no_weights() -> None:
    weights, fit = lime.fitted(np.array([[0, 1], [1, 0], [1, 1]], bool), np.full((3, 1), 7.0), np.ones(3), ridge=1)
    np.testing.assert_allclose(weights, 0, atol=1e-12)
    assert fit[0] == 0


def test_a_linear_model_is_followed_exactly() -> None:
    probe = LinearProbe(REGIONS)
    given = {"score": "logit", "segmentation": "grid", "segments": 4, "samples": 60, "baseline": "black", "ridge": 0, "class_index": 0}
    params = Lime.model_validate(given).resolve(probe.published, MethodLimits())
    slices, found = driven(lime.run(probe, Inputs(IMAGE), params))
    expected = [IMAGE[0, :2, :3].mean(), 0, 0, -IMAGE[0, 2:, 3:].mean()]
    np.testing.assert_allclose(found.weights[0], expected, atol=1e-4)
    assert slices[-1].step == slices[-1].total == 60
    photo = photo_of()
    facts = LimeFacts.model_validate(dict(drawn(lime.draw(found, photo, params), photo).facts))
    assert facts.fit == (pytest.approx(1, abs=1e-6),)
