"""Total Sobol indices of scores that are formulas, and of a linear model."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.perturbation.sobol import Sobol, SobolFacts
from tests.workers.methods.linear import LinearProbe, driven
from tests.workers.methods.support import photo_of, published
from workers.contract.inputs import Inputs
from workers.methods.perturbation import sobol
from workers.methods.perturbation.grid_masks import masked
from workers.methods.perturbation.sobol import replicated_design, total_indices


def test_the_estimator_worked_by_hand() -> None:
    """A gives 1 and 3, whose variance is 2. C_1 gives 1 and 1, and C_2 gives 4 and 3: (0 + 4) / 8 and (9 + 0) / 8."""
    scores = np.array([[1, 5], [3, 5], [1, 5], [1, 5], [4, 5], [3, 5]], np.float64)
    np.testing.assert_allclose(total_indices(scores, 2), [[0.5, 9 / 8], [0, 0]])


def test_a_design_takes_one_cell_at_a_time_from_other_masks() -> None:
    masks = replicated_design(8, 3, seed=4).reshape(10, 8, 9)
    first = masks[0]
    for cell in range(9):
        changed = masks[1 + cell] != first
        assert changed[:, cell].all()
        assert not np.delete(changed, cell, axis=1).any()
    for cell in first.T:  # in a Sobol sequence, each eighth of 0 to 1 has one of eight points
        np.testing.assert_array_equal(np.sort(np.floor(cell * 8)), np.arange(8))
    np.testing.assert_array_equal(replicated_design(8, 3, 4), replicated_design(8, 3, 4))
    assert not np.array_equal(replicated_design(8, 3, 4), replicated_design(8, 3, 5))


def test_indices_of_a_function_with_a_product() -> None:
    """For y = 2a + bc with uniform a, b and c, the variance of 2a is 4/12. That of bc is 1/9 − 1/16, of which 1/144 is of b and c together.

    So the index of a is 1/3, and that of b and of c is (1/48 + 1/144) = 1/36, each divided by 1/3 + 7/144.
    """
    masks = replicated_design(256, 2, seed=1).reshape(-1, 4).astype(np.float64)
    found = total_indices((2 * masks[:, 0] + masks[:, 1] * masks[:, 2])[:, None], 256)[0]
    whole = 1 / 3 + 7 / 144
    np.testing.assert_allclose(found, [1 / 3 / whole, 1 / 36 / whole, 1 / 36 / whole, 0], atol=0.02)


def test_each_pixel_takes_the_value_of_its_cell() -> None:
    image, cover = np.full((5, 4, 1), 10, np.float32), np.full((5, 4, 1), 2, np.float32)
    found = masked(image, cover, np.array([[[0, 1], [0.5, 0.25]]], np.float32))[0, ..., 0]
    np.testing.assert_allclose(found[0], [2, 2, 10, 10])
    np.testing.assert_allclose(found[4], [6, 6, 4, 4])
    assert (found[1] == found[0]).all()
    assert (found[3] == found[4]).all()


def test_the_cells_of_a_linear_model_share_its_variance() -> None:
    """A cell's part of the logit is w·m, so its index is w² / Σ w², where w is the weight of the cell. The second class never changes."""
    weights = np.zeros((2, 4, 6, 3))
    weights[0, :2, :3], weights[0, 2:, 3:], weights[0, 2:, :3] = 1, 2, -1
    given = Sobol.model_validate({"class_index": (0, 1), "cells": 2, "designs": 256, "baseline": "black"})
    probe = LinearProbe(weights)
    given = given.resolve(probe.published, MethodLimits())
    slices, found = driven(sobol.run(probe, Inputs(np.ones((1, 4, 6, 3), np.float32)), given))
    np.testing.assert_allclose(found.cells[0], np.array([[1, 0], [1, 4]]) / 6, atol=0.02)
    assert not found.cells[1].any()
    assert found.masks == slices[-1].step == slices[-1].total == 256 * 5 == given.tries(probe.description)
    assert found.maps.shape == (2, 4, 6)
    assert found.maps.min() >= 0
    assert np.unravel_index(found.maps[0].argmax(), (4, 6)) == (3, 5)
    output = sobol.draw(found, photo_of(), given)
    facts = output.facts
    assert isinstance(facts, SobolFacts)
    assert facts.index_sum == pytest.approx((1, 0), abs=0.05)
    assert facts.variance == pytest.approx(((1 + 1 + 4) * 18**2 / 12, 0), rel=0.05)
    assert [each for each in output.warnings if each.startswith("goldfish (1): the map is zero everywhere")]


def test_the_number_of_masks_is_limited() -> None:
    with pytest.raises(LimitExceeded, match="at most 8,192 covered images, got 65,792") as raised:
        Sobol(designs=256, cells=16).resolve(published(), MethodLimits())
    assert raised.value.pointer == "/params/designs"
