"""The measures' formulas by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse, stats
from scipy.sparse import linalg as sparse_linalg

from tests.workers.methods.linear import driven
from workers.methods.evaluation.measures.concentration import entropy, gini_index
from workers.methods.evaluation.measures.infidelity import infidelity, squares
from workers.methods.evaluation.measures.localisation import pointing_game, relevance_mass, relevance_rank
from workers.methods.evaluation.measures.max_sensitivity import max_sensitivity
from workers.methods.evaluation.measures.noisy_linear_imputation import impute

NO_MAP = np.zeros((2, 3), np.float32)


def filled_in(image: np.ndarray, missing: np.ndarray, noise: float = 0) -> np.ndarray:
    return driven(impute(image, missing, np.random.default_rng(5), noise))[1]


def test_one_missing_pixel_is_the_weighted_mean_of_its_neighbours() -> None:
    image = np.arange(1, 10, dtype=np.float32).reshape(3, 3, 1) ** 2
    missing = np.zeros((3, 3), bool)
    missing[1, 1] = True
    filled = filled_in(image, missing)
    # the direct neighbours 4, 16, 36 and 64 weigh 1/6, and the diagonal ones 1, 9, 49 and 81 weigh 1/12
    assert filled[1, 1, 0] == pytest.approx(120 / 6 + 140 / 12)
    np.testing.assert_array_equal(filled[~missing], image[~missing])


def test_missing_neighbours_are_solved_together_and_the_outside_does_not_count() -> None:
    """In a row of 0, ?, ?, 9 each unknown is the mean of its two neighbours, so they are 3 and 6. Each channel is solved alone."""
    image = np.zeros((1, 4, 2), np.float32)
    image[0, 3] = (9, -18)
    missing = np.array([[False, True, True, False]])
    np.testing.assert_allclose(filled_in(image, missing)[0, 1:3], [[3, -6], [6, -12]], rtol=1e-6)


def test_a_large_hole_is_solved_as_by_a_factorisation() -> None:
    """The missing pixels are one large hole and many single ones in an image of odd sides and five channels."""
    image = np.random.default_rng(7).normal(0, 3, (61, 97, 5)).astype(np.float32)
    missing = np.random.default_rng(8).random((61, 97)) < 0.3
    missing[5:50, 3:90] = True
    numbers = np.arange(missing.size).reshape(missing.shape)
    matrix = sparse.lil_matrix((missing.size, missing.size))
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        weight = 1 / 12 if dy and dx else 1 / 6
        here = numbers[: 61 - dy, max(0, -dx) : 97 - max(0, dx)].ravel()
        there = numbers[dy:, max(0, dx) : 97 + min(0, dx)].ravel()
        matrix[here, there] = matrix[there, here] = weight
    weights = matrix.tocsr()
    unknown, known = missing.ravel(), ~missing.ravel()
    system = sparse.diags(np.asarray(weights.sum(axis=1)).ravel()) - weights
    pixels = image.reshape(-1, 5).astype(np.float64)
    expected = sparse_linalg.spsolve(system[unknown][:, unknown].tocsc(), weights[unknown][:, known] @ pixels[known])
    steps, found = driven(impute(image, missing, np.random.default_rng(0), noise=0))
    np.testing.assert_allclose(found[missing], expected, atol=1e-5)
    assert 5 < len(steps) < 40, "each step can end a slice"


def test_the_noise_is_a_share_of_the_images_spread() -> None:
    image = np.random.default_rng(3).normal(5, 4, (40, 31, 3)).astype(np.float32)
    missing = np.random.default_rng(4).random((40, 31)) < 0.6
    plain, noisy = (filled_in(image, missing, noise) for noise in (0, 0.1))
    assert (noisy - plain)[missing].std() == pytest.approx(0.1 * image.std(), rel=0.1)


def test_nothing_can_be_filled_from_nothing() -> None:
    with pytest.raises(ValueError, match="all pixels are missing"):
        filled_in(np.zeros((2, 2, 1), np.float32), np.ones((2, 2), bool))


def test_gini_index() -> None:
    # sorted 0, 1, 3: (−2·0 + 0·1 + 2·3) / (3·4)
    assert gini_index(np.array([[3, 0, -1]], np.float32)) == pytest.approx(6 / 12)
    assert gini_index(np.full((3, 5), -2, np.float32)) == pytest.approx(0)
    assert gini_index(NO_MAP) is None


def test_entropy() -> None:
    assert entropy(np.array([1, -1, 2], np.float32)) == pytest.approx(1.5 * math.log(2))
    assert entropy(np.array([0, 0, 7], np.float32)) == 0
    assert entropy(NO_MAP) is None


def test_concentration_in_other_words() -> None:
    """The Gini index is half the mean difference of two values over their mean, and SciPy has the entropy."""
    values = np.random.default_rng(2).normal(0, 1, (7, 9)).astype(np.float32)
    sizes = np.abs(values).ravel().astype(np.float64)
    assert gini_index(values) == pytest.approx(np.abs(sizes[:, None] - sizes).mean() / (2 * sizes.mean()))
    assert entropy(values) == pytest.approx(stats.entropy(sizes))


def test_infidelity_scales_the_map_to_the_score() -> None:
    falls = np.array([1.0, 2, 3])
    assert infidelity(10 * falls, falls) == pytest.approx((0, 0.1))
    # β = (1·1 + 1·2 + 1·3) / 3 = 2, and the rest is (1, 0, −1)
    assert infidelity(np.ones(3), falls) == pytest.approx((2 / 3, 2))


def test_a_map_of_the_contrary_is_as_infidel_as_an_empty_one() -> None:
    falls = np.array([1.0, 2, 3])
    assert infidelity(-falls, falls) == infidelity(np.zeros(3), falls) == pytest.approx((14 / 3, 0))


def test_squares_lie_in_the_input_and_have_all_sides() -> None:
    found = squares((30, 20), 4000, np.random.default_rng(1))
    top, left, side = found.T
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + side).max() == 30
    assert (left + side).max() == 20
    assert set(side.tolist()) == set(range(2, 9))
    assert (squares((1, 1), 3, np.random.default_rng(1)) == [0, 0, 1]).all()


def test_max_sensitivity() -> None:
    values = np.array([[3, 0], [0, 4]], np.float32)
    near, far = np.array([[3, 1], [0, 4]], np.float32), np.array([[3, 0], [-2, 4]], np.float32)
    assert max_sensitivity(values, [near, far]) == pytest.approx(2 / 5)
    assert max_sensitivity(NO_MAP, [NO_MAP]) is None


def test_where_the_map_lies() -> None:
    values = np.array([[5, 1, 0], [-9, 2, 2]], np.float32)
    places = np.array([[0, 3, 4], [5, 1, 2]])
    region = np.array([[False, True, False], [True, True, False]])
    assert pointing_game(places, region) == 0
    assert pointing_game(places, ~region) == 1
    assert relevance_mass(values, region) == pytest.approx(3 / 10)  # −9 does not count
    assert relevance_rank(places, region) == pytest.approx(1 / 3)  # of the first three places, one lies in the region
    assert relevance_mass(-np.abs(values), region) is None
