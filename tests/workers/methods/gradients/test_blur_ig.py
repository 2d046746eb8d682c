"""Blur integrated gradients on models that are formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from schemas.methods.gradients.blur_ig import BlurIg, BlurIgFacts
from tests.workers.methods.gradients.support import Recorded, W, resolved
from tests.workers.methods.linear import driven
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.inputs import Inputs
from workers.methods.gradients import blur_ig
from workers.methods.gradients.blur_ig import BlurPath, blur_matrix, blurred


def test_the_blur_worked_by_hand() -> None:
    """With σ = ½ the kernel reaches 2 values far, and its weights are e⁻⁸, e⁻², 1, e⁻², e⁻⁸ divided by their sum."""
    near, far = np.exp(-2), np.exp(-8)
    total = 1 + 2 * near + 2 * far
    expected = np.array([[1, near, far, 0], [near, 1, near, far], [far, near, 1, near], [0, far, near, 1]]) / total
    np.testing.assert_allclose(blur_matrix(4, 0.5), expected)
    np.testing.assert_array_equal(blur_matrix(3, 0), np.eye(3))


@pytest.mark.parametrize("sigma", [0.1, 0.7, 3.0])
def test_the_blur_is_that_of_scipy(sigma: float) -> None:
    image = batch(1)[0]
    expected = ndimage.gaussian_filter(image.astype(np.float64), [sigma, sigma, 0], mode="constant")
    np.testing.assert_allclose(blurred(image, sigma), expected, atol=1e-12)


@pytest.mark.parametrize("rule", ["midpoint", "left"])
def test_the_changes_lead_from_the_blurred_image_to_the_sharp_one(rule: str) -> None:
    image = batch(1)[0]
    path = BlurPath(image, BlurIg(steps=400, max_sigma=2, rule=rule))  # type: ignore[arg-type]
    parts = [path.changes(part) for part in (slice(0, 150), slice(150, 400))]
    changes = np.concatenate(parts).sum(axis=0)
    np.testing.assert_allclose(changes, image - blurred(image, 2), atol=1e-6 if rule == "midpoint" else 0.02)


def test_the_values_add_up_on_a_quadratic_logit() -> None:
    """The gradient in the middle of a step is exact for a quadratic logit, so every number of steps gives the difference."""
    x, probe = batch(1), Recorded()
    given = resolved("blur_ig", class_index=(2, 0), steps=30, max_sigma=3)
    slices, found = driven(blur_ig.run(probe, Inputs(x), given))
    start = blurred(x[0], 3)
    for at, c in enumerate((2, 0)):
        expected = (W[c] * x[0] ** 2).sum() - (W[c] * start**2).sum()
        assert found.difference[at] == pytest.approx(expected, rel=1e-4)
        assert found.attribution.values[at].sum() == pytest.approx(expected, rel=1e-4)
        np.testing.assert_allclose(found.maps[at], found.attribution.values[at].sum(axis=-1), rtol=1e-4, atol=1e-5)
    assert probe.rows == [21, 21, 9, 9]
    assert (slices[-1].step, slices[-1].total) == (60, 60)


def test_two_steps_worked_by_hand() -> None:
    """From σ = 4 over σ = 1 to σ = 0, with ∂y/∂x = 2·W·x in the middle of each step."""
    x = batch(1)
    _, found = driven(blur_ig.run(FormulaProbe(), Inputs(x), resolved("blur_ig", class_index=1, steps=2, max_sigma=4)))
    sharp, middle, start = x[0], blurred(x[0], 1), blurred(x[0], 4)
    expected = sum((to - begin) * 2 * W[1] * (to + begin) / 2 for begin, to in ((start, middle), (middle, sharp)))
    np.testing.assert_allclose(found.attribution.values[0], expected, rtol=1e-4, atol=1e-5)


def test_the_rule_of_the_authors_misses_more_and_warns() -> None:
    given = resolved("blur_ig", class_index=1, steps=3, max_sigma=3, rule="left")
    _, found = driven(blur_ig.run(FormulaProbe(), Inputs(batch(1)), given))
    output = blur_ig.draw(found, photo_of(), given)
    assert isinstance(output.facts, BlurIgFacts)
    assert found.errors[0] > 0.1
    assert output.facts.completeness_error[0] == pytest.approx(found.errors[0])
    assert output.warnings[0].endswith("Take more than 3 `steps`.")


def test_the_strongest_blur_follows_the_size_of_the_input() -> None:
    assert blur_ig.strongest_blur((224, 300), BlurIg()) == pytest.approx(50)
    assert blur_ig.strongest_blur((28, 28), BlurIg()) == pytest.approx(6.25)
    assert blur_ig.strongest_blur((28, 28), BlurIg(max_sigma=9)) == 9
    _, found = driven(blur_ig.run(FormulaProbe(), Inputs(batch(1)), resolved("blur_ig", steps=4)))
    assert found.max_sigma == pytest.approx(4 * 50 / 224)
