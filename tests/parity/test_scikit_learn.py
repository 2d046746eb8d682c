"""Non-negative factors are compared with those of scikit-learn's `NMF` with its defaults: coordinate descent from NNDSVDa.

scikit-learn finds singular vectors by a randomised method, so its start differs from ours by the error of that method.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import NMF
from sklearn.decomposition._nmf import _initialize_nmf

from tests.workers.methods.concepts.test_nmf import factors
from workers.methods.concepts.nmf import project, singular_start


def activations(shape: tuple[int, int], rank: int, seed: int = 3) -> np.ndarray:
    """Return a matrix of sparse parts with some noise, as activations are."""
    rng = np.random.default_rng(seed)
    left, right = (rng.gamma(0.3, size=each) for each in ((shape[0], rank), (rank, shape[1])))
    return left @ (np.arange(rank, 0, -1)[:, None] * right) + 0.01 * rng.random(shape)


SHAPES = [((150, 37), 4), ((40, 93), 6)]


@pytest.mark.parametrize(("shape", "parts"), SHAPES)
def test_the_start_is_nndsvda(shape: tuple[int, int], parts: int) -> None:
    matrix = activations(shape, parts)
    for own, peer in zip(singular_start(matrix, parts), _initialize_nmf(matrix, parts, "nndsvda", random_state=0), strict=True):
        np.testing.assert_allclose(own, peer, rtol=1e-4, atol=1e-4 * peer.max())


@pytest.mark.parametrize(("shape", "parts"), SHAPES)
@pytest.mark.parametrize("iterations", [1, 7, 400])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_same_start_leads_to_the_same_factors(shape: tuple[int, int], parts: int, iterations: int) -> None:
    matrix = activations(shape, parts)
    weights, vectors = singular_start(matrix, parts)
    peer = NMF(parts, init="custom", max_iter=iterations, tol=1e-4)
    peer_weights = peer.fit_transform(matrix, W=weights.copy(), H=vectors.copy())
    own = factors(matrix, parts, iterations, 1e-4)
    assert own.iterations == peer.n_iter_
    np.testing.assert_allclose(own.weights, peer_weights, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(own.vectors, peer.components_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("shape", "parts"), SHAPES)
def test_all_of_it_equals_scikit_learn_with_its_defaults(shape: tuple[int, int], parts: int) -> None:
    matrix = activations(shape, parts)
    peer = NMF(parts, random_state=0, max_iter=2000, tol=1e-6)
    peer_weights = peer.fit_transform(matrix)
    own = factors(matrix, parts, 2000, 1e-6)
    assert np.linalg.norm(matrix - own.weights @ own.vectors) == pytest.approx(peer.reconstruction_err_, rel=1e-4)
    np.testing.assert_allclose(own.weights @ own.vectors, peer_weights @ peer.components_, atol=1e-3 * matrix.max())


@pytest.mark.parametrize(("shape", "parts"), SHAPES)
def test_projections_are_those_of_transform(shape: tuple[int, int], parts: int) -> None:
    matrix = activations(shape, parts)
    peer = NMF(parts, random_state=0, max_iter=2000, tol=1e-6).fit(matrix)
    other = activations((23, shape[1]), parts, seed=4)
    np.testing.assert_allclose(project(other, peer.components_, 2000, 1e-6), peer.transform(other), rtol=1e-5, atol=1e-7)
