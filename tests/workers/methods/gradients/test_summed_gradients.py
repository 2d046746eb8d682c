"""SmoothGrad and integrated gradients on a model that is a formula."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.methods.gradients.integrated_gradients import IntegratedGradientsFacts
from schemas.methods.gradients.smooth_grad import SmoothGrad
from tests.workers.methods.gradients.support import Recorded, W, attribution, resolved
from tests.workers.methods.linear import driven
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.inputs import Inputs
from workers.methods.gradients import integrated_gradients, smooth_grad


def noise_of(shape: tuple[int, ...], count: int, seed: int) -> np.ndarray:
    return np.stack([np.random.default_rng((seed, at)).standard_normal(shape, np.float32) for at in range(count)])


@pytest.mark.parametrize("samples", [1, 21, 50])
def test_smooth_grad_is_the_mean_over_noisy_copies(samples: int) -> None:
    x = batch(1)
    probe = Recorded()
    slices, found = driven(smooth_grad.run(probe, Inputs(x), resolved("smooth_grad", class_index=2, samples=samples, noise=0.2, seed=3)))
    sigma = 0.2 * (x.max() - x.min())
    expected = 2 * W[2] * (x[0] + sigma * noise_of((4, 6, 3), samples, 3).mean(0))
    np.testing.assert_allclose(found.values, expected[None], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.maps[0], np.abs(expected).max(-1), rtol=1e-4, atol=1e-5)
    assert probe.rows == [min(21, samples - start) for start in range(0, samples, 21)]
    assert [made.step for made in slices][-1] == samples == slices[-1].total
    assert found.classes[0].logit == pytest.approx(
        float(((x[0] ** 2).sum((0, 1)) * W[2]).sum()), rel=1e-5
    )  # the score is that of the image without noise


def test_smooth_grad_of_squares_never_cancels() -> None:
    x = batch(1)
    _, found = driven(smooth_grad.run(FormulaProbe(), Inputs(x), resolved("smooth_grad", class_index=(0, 1), samples=9, average="squares")))
    noisy = x[0] + 0.15 * np.ptp(x) * noise_of((4, 6, 3), 9, 0)
    for values, c in zip(found.values, (0, 1), strict=True):
        np.testing.assert_allclose(values, ((2 * W[c] * noisy) ** 2).mean(0), rtol=1e-4)
    assert (found.values >= 0).all()


def test_the_variance_of_the_gradients_is_that_of_the_noise() -> None:
    """With ∂y/∂x = 2·W·(x + σ·ε), the variance is (2·W·σ)² times that of the noise ε, whatever the image."""
    x = batch(1)
    given = resolved("smooth_grad", class_index=(0, 1), samples=25, average="variance", seed=4)
    slices, found = driven(smooth_grad.run(FormulaProbe(), Inputs(x), given))
    spread = noise_of((4, 6, 3), 25, 4).var(axis=0)
    for values, c in zip(found.values, (0, 1), strict=True):
        np.testing.assert_allclose(values, (2 * W[c] * 0.15 * np.ptp(x)) ** 2 * spread, rtol=1e-3)
    assert slices[-1].step == slices[-1].total == 50


def test_statistics_of_gradients_worked_by_hand() -> None:
    """The gradients 1, 2 and 6 have the mean 3, the mean square 41/3 and the variance 14/3. Equal gradients have exactly no variance."""
    statistics = smooth_grad.GradientStatistics(3, (1, 1, 2))
    np.testing.assert_array_equal(statistics.of("squares"), np.zeros((3, 1, 1, 2)))
    statistics.add(1, np.array([[1, 0.1], [2, 0.1]]).reshape(2, 1, 1, 2))
    statistics.add(1, np.array([6, 0.1]).reshape(1, 1, 1, 2))
    for average, expected in (("mean", [3, 0.1]), ("squares", [41 / 3, 0.01]), ("variance", [14 / 3, 0])):
        np.testing.assert_allclose(statistics.of(average)[1].ravel(), expected, rtol=1e-6)  # type: ignore[arg-type]
    assert statistics.of("variance")[1, 0, 0, 1] == 0
    with pytest.raises(ValueError, match="give at least 2 samples"):
        SmoothGrad(average="variance", samples=1)


def test_the_seed_decides_the_noise() -> None:
    def values(seed: int) -> np.ndarray:
        return driven(smooth_grad.run(FormulaProbe(), Inputs(batch(1)), resolved("smooth_grad", samples=4, seed=seed)))[1].values

    np.testing.assert_array_equal(values(5), values(5))
    assert not np.allclose(values(5), values(6))


@pytest.mark.parametrize("rule", ["gauss_legendre", "trapezoid"])
def test_integrated_gradients_of_a_quadratic_logit(rule: str) -> None:
    """From 0, the integral is x·∫2·W·αx dα = W·x². Both rules are exact, because the gradient is linear in α."""
    x = batch(1)
    params = resolved("integrated_gradients", class_index=(0, 2), steps=4, rule=rule)
    slices, found = driven(integrated_gradients.run(FormulaProbe(), Inputs(x), params))
    for at, c in enumerate((0, 2)):
        np.testing.assert_allclose(found.attribution.values[at], W[c] * x[0] ** 2, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.attribution.maps[at], (W[c] * x[0] ** 2).sum(-1), rtol=1e-5, atol=1e-5)
        assert found.difference[at] == pytest.approx(found.attribution.classes[at].logit, rel=1e-6)
    assert (found.errors < 1e-6).all()
    assert [made.step for made in slices] == [0, 4, 8]


def test_points_and_weights_of_the_rules() -> None:
    points, weights = integrated_gradients.quadrature("trapezoid", 5)
    np.testing.assert_allclose(points, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(weights, [0.125, 0.25, 0.25, 0.25, 0.125])
    points, weights = integrated_gradients.quadrature("gauss_legendre", 2)
    np.testing.assert_allclose(points, [0.5 - 0.5 / 3**0.5, 0.5 + 0.5 / 3**0.5])
    np.testing.assert_allclose(weights, [0.5, 0.5])
    for rule, degree in (("gauss_legendre", 11), ("trapezoid", 1)):  # the highest power for which six steps are exact
        points, weights = integrated_gradients.quadrature(rule, 6)
        assert float((weights * points**degree).sum()) == pytest.approx(1 / (degree + 1), abs=1e-12)
        assert float((weights * points ** (degree + 1)).sum()) != pytest.approx(1 / (degree + 2), abs=1e-12)


def test_attributions_add_up_with_a_random_baseline() -> None:
    params = resolved("integrated_gradients", class_index=1, steps=3, baseline="random", seed=2)
    _, found = driven(integrated_gradients.run(FormulaProbe(), Inputs(batch(1)), params))
    assert found.errors[0] < 1e-5
    assert abs(found.difference[0]) > 100


def test_facts_and_a_warning_tell_about_incompleteness() -> None:
    """One step misses much of the probability, which is far from linear."""
    params = resolved("integrated_gradients", class_index=(1, 0), steps=1, score="probability")
    _, found = driven(integrated_gradients.run(FormulaProbe(), Inputs(batch(1)), params))
    output = integrated_gradients.draw(found, photo_of(), params)
    facts = output.facts
    assert isinstance(facts, IntegratedGradientsFacts)
    for at, (missed, whole) in enumerate(zip(facts.attributed, facts.score_difference, strict=True)):
        assert facts.completeness_error[at] == pytest.approx(abs(missed - whole) / abs(whole))
        assert found.attribution.values[at].sum() == pytest.approx(missed, rel=1e-4, abs=1e-6)
    assert facts.completeness_error[0] > 0.05
    assert output.warnings[0].startswith("goldfish (1): the sum of the attributions misses the score's difference by")


def test_the_error_is_unscaled_if_the_score_does_not_differ() -> None:
    values = np.zeros((2, 4, 6, 3))
    found = integrated_gradients.IntegratedAttribution(
        attribution(values, values[..., 0]), np.array([0.0, -2.0]), np.array([0.25, -1.0]), 4
    )
    np.testing.assert_allclose(found.errors, [0.25, 0.5])


def test_without_a_number_of_steps_they_double_until_the_attributions_add_up() -> None:
    """The logit is quadratic, so 50 steps are enough. The probability of a 30 times brighter image needs more."""
    slices, found = driven(integrated_gradients.run(FormulaProbe(), Inputs(batch(1)), resolved("integrated_gradients")))
    assert (found.steps, slices[-1].step, slices[-1].total) == (50, 50, 750)
    edge = resolved("integrated_gradients", class_index=2, score="probability", max_steps=80)
    assert edge.rounds() == (50, 80)
    slices, found = driven(integrated_gradients.run(FormulaProbe(), Inputs(30 * batch(1)), edge))
    assert (found.steps, slices[-1].step, slices[-1].total) == (80, 130, 130)
    _, alone = driven(integrated_gradients.run(FormulaProbe(), Inputs(30 * batch(1)), edge.changed(steps=80)))
    np.testing.assert_array_equal(found.attribution.values, alone.attribution.values)
    assert integrated_gradients.draw(found, photo_of(), edge).facts.model_dump()["steps"] == 80
