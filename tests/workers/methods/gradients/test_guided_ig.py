"""Guided integrated gradients: steps worked by hand, and a model whose logit is Σ W·x²."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.methods.gradients.guided_ig import GuidedIgFacts
from tests.workers.methods.gradients.support import Recorded, W, resolved
from tests.workers.methods.linear import driven
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.inputs import Inputs
from workers.methods.gradients import guided_ig, integrated_gradients
from workers.methods.gradients.guided_ig import GuidedStep


def row(*values: float) -> np.ndarray:
    return np.array(values, np.float64).reshape(1, -1, 1)


def moved(point: np.ndarray, gradient: np.ndarray, **bounds: float) -> list[float]:
    given = {"share": 0.5, "fraction": 0.25, "max_distance": 1.0, **bounds}
    return GuidedStep(row(4, 4, 4, 4), row(0, 0, 0, 0), **given).moved(point, gradient).ravel().tolist()


def test_the_smallest_gradients_are_moved_first() -> None:
    """The way is 16 long. Half of it takes the two values with the smallest gradients to their ends, the smallest one first.

    A fraction of 0.4 moves two of the four values at a time, and then both go the same part of their way.
    """
    assert moved(row(0, 0, 0, 0), row(3, -1, 2, 9)) == [0, 4, 4, 0]
    assert moved(row(0, 0, 0, 0), row(3, -1, 2, 9), share=0.375) == [0, 4, 2, 0]
    assert moved(row(0, 0, 0, 0), row(3, -1, 2, 9), share=0.375, fraction=0.4) == [0, 3, 3, 0]


def test_no_value_is_far_from_the_straight_line() -> None:
    """With a distance of 0.25, each value is between 1 and 3 after half of the way, whose L1 length is 8."""
    assert moved(row(0, 0, 0, 0), row(3, -1, 2, 9), max_distance=0.25) == [1, 3, 3, 1]
    assert moved(row(0, 0, 0, 0), row(3, -1, 2, 9), max_distance=0) == [2, 2, 2, 2]


def test_equal_gradients_and_equal_ends_move_together() -> None:
    assert moved(row(0, 0, 0, 0), row(0, 0, 0, 0)) == [2, 2, 2, 2]
    step = GuidedStep(row(4, 0, -4), row(0, 0, 0), 0.5, 0.25, 1.0)
    assert step.moved(row(0, 0, 0), row(1, 0, 2)).ravel().tolist() == [4, 0, 0]
    same = GuidedStep(row(1, 2), row(1, 2), 0.5, 0.25, 1.0)
    assert same.moved(row(1, 2), row(0, 1)).ravel().tolist() == [1, 2]


def test_every_path_ends_at_the_image() -> None:
    rng = np.random.default_rng(2)
    image, start = rng.normal(size=(2, 3, 5, 2))
    point = start
    for number in range(1, 8):
        point = GuidedStep(image, start, number / 7, 0.3, 0.1).moved(point, rng.normal(size=image.shape))
        left = np.abs(point - image).sum() / np.abs(start - image).sum()
        assert left == pytest.approx(1 - number / 7, abs=1e-8)
    np.testing.assert_allclose(point, image, atol=1e-8)


@pytest.mark.parametrize("rule", ["trapezoid", "left"])
def test_without_any_distance_the_path_is_the_straight_line(rule: str) -> None:
    """On a straight line from 0, the gradient is 2·W·α·x. The trapezoid rule is exact, and the left one misses 1 / steps."""
    x, probe = batch(1), Recorded()
    given = resolved("guided_ig", class_index=(2, 0), steps=8, max_distance=0, baseline="black", rule=rule)
    slices, found = driven(guided_ig.run(probe, Inputs(x), given))
    share = 1 if rule == "trapezoid" else 7 / 8
    for at, c in enumerate((2, 0)):
        np.testing.assert_allclose(found.attribution.values[at], share * W[c] * x[0] ** 2, rtol=1e-4, atol=1e-5)
    gradients = 9 if rule == "trapezoid" else 8
    assert probe.rows == [2] * gradients
    assert (slices[-1].step, slices[-1].total) == (2 * gradients, 2 * gradients)
    if rule == "trapezoid":
        straight = resolved("integrated_gradients", class_index=(2, 0), steps=9, rule="trapezoid")
        _, other = driven(integrated_gradients.run(FormulaProbe(), Inputs(x), straight))
        np.testing.assert_allclose(found.maps, other.maps, rtol=1e-4, atol=1e-5)


def test_a_free_path_adds_up_and_differs_from_the_straight_line() -> None:
    given = resolved("guided_ig", class_index=1, steps=40, max_distance=0.3, baseline="random", seed=4)
    _, found = driven(guided_ig.run(FormulaProbe(), Inputs(batch(1)), given))
    _, straight = driven(guided_ig.run(FormulaProbe(), Inputs(batch(1)), given.changed(max_distance=0)))
    assert found.errors[0] < 1e-4  # the trapezoid rule is exact for a quadratic logit
    facts = guided_ig.draw(found, photo_of(), given).facts
    assert isinstance(facts, GuidedIgFacts)
    assert facts.attributed[0] == pytest.approx(facts.score_difference[0], rel=1e-4)
    np.testing.assert_allclose(straight.difference, found.difference)
    two = given.changed(rule="left", steps=2)
    (warning,) = guided_ig.draw(driven(guided_ig.run(FormulaProbe(), Inputs(batch(1)), two))[1], photo_of(), two).warnings
    assert warning.endswith("Take more than 2 `steps`.")
