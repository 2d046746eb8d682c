"""The dependence of scores on cells: the kernel formula written out, and a linear model."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.perturbation.hsic import Hsic, HsicFacts
from tests.workers.methods.linear import LinearProbe, driven
from tests.workers.methods.support import photo_of, published
from workers.contract.inputs import Inputs
from workers.methods.perturbation import hsic
from workers.methods.perturbation.hsic import binary_masks, by_chance, dependence, kernel_width


def test_two_masks_worked_by_hand() -> None:
    """L is 1 on its diagonal and e⁻² elsewhere, and c = ±½, so the trace is 2·(¼ + ¼ − 2·e⁻²/4) and half of it is (1 − e⁻²) / 2."""
    found = dependence(np.array([[0, 1], [1, 1]], np.float32), np.array([0.0, 2.0]), 1.0)
    np.testing.assert_allclose(found, [(1 - np.exp(-2)) / 2, 0])


def test_the_short_form_is_the_trace_of_the_kernels() -> None:
    rng = np.random.default_rng(5)
    masks, scores = (rng.random((9, 4)) < 0.5).astype(np.float32), rng.normal(size=9)
    centring = np.eye(9) - 1 / 9
    gram = np.exp(-np.square(scores[:, None] - scores) / (2 * 0.7**2))
    for cell, found in zip(masks.T, dependence(masks, scores, 0.7), strict=True):
        kernel = 1.5 - np.square(cell[:, None] - cell)
        assert found == pytest.approx(np.trace(kernel @ centring @ gram @ centring) / 9)


def test_the_width_is_the_median_distance() -> None:
    """The distances of 0, 1, 1 and 5 are 1, 1, 5, 0, 4, 4."""
    assert kernel_width(np.array([0.0, 1, 1, 5])) == 2.5
    assert kernel_width(np.array([0.0, 0, 0, 0, 4])) == pytest.approx(1.6)
    assert kernel_width(np.zeros(4)) == 1


def test_each_cell_is_visible_in_half_of_the_masks() -> None:
    masks = binary_masks(40, 3, seed=2)
    np.testing.assert_array_equal(masks.mean(axis=0), np.full((3, 3), 0.5))
    assert len(np.unique(masks.reshape(40, -1), axis=0)) > 20
    np.testing.assert_array_equal(masks, binary_masks(40, 3, seed=2))
    assert not np.array_equal(masks, binary_masks(40, 3, seed=3))


def test_the_score_depends_on_the_cells_with_a_weight_and_on_no_other() -> None:
    weights = np.zeros((2, 4, 6, 3))
    weights[0, :2, :3], weights[0, 2:, 3:] = 1, -2
    probe = LinearProbe(weights)
    given = Hsic.model_validate({"class_index": (0, 1), "cells": 2, "masks": 300, "baseline": "black"})
    given = given.resolve(probe.published, MethodLimits())
    slices, found = driven(hsic.run(probe, Inputs(np.ones((1, 4, 6, 3), np.float32)), given))
    ((one, none), (neither, two)) = found.cells[0]
    chance = found.facts["chance"][0]
    assert two > one > 3 * chance
    assert max(none, neither) < 1.5 * chance
    assert not found.cells[1].any()
    assert found.masks == slices[-1].step == slices[-1].total == 300 == given.tries(probe.description)
    assert np.unravel_index(found.maps[0].argmax(), (4, 6)) == (3, 5)
    facts = hsic.draw(found, photo_of(), given).facts
    assert isinstance(facts, HsicFacts)
    assert facts.chance == tuple(found.facts["chance"])


def test_scores_that_are_shuffled_depend_on_nothing() -> None:
    masks = binary_masks(200, 2, seed=0).reshape(200, 4)
    scores = 3.0 * masks[:, 1] + np.random.default_rng(1).normal(size=200)
    chance = by_chance(masks, scores, 1.0, seed=0)
    assert dependence(masks, scores, 1.0)[1] > 10 * chance
    shuffled = dependence(masks, np.random.default_rng(2).permutation(scores), 1.0)
    assert 0 < chance < 4 * shuffled.max()


def test_the_number_of_masks_is_limited() -> None:
    with pytest.raises(LimitExceeded, match="at most 8,192 covered images, got 9,000") as raised:
        Hsic(masks=9000).resolve(published(), MethodLimits())
    assert raised.value.pointer == "/params/masks"
