"""Concept vectors are compared with scikit-learn's `LogisticRegression`, and scores and p-values with what tensorflow/tcav computes.

tensorflow/tcav takes SciPy's `ttest_ind` with its defaults, and counts the photos whose loss falls along the vector.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from workers.methods.concepts.concept_vectors import concept_vector, directional_derivatives, separate, tcav_scores


def groups(one: int, other: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Return examples of two groups with other means, and which are in the first."""
    rng = np.random.default_rng(one)
    examples = rng.gamma(0.5, size=(one + other, dimensions))
    examples[:one] += 0.6 * rng.random(dimensions)
    return examples, np.arange(one + other) < one


@pytest.mark.parametrize(("one", "other", "dimensions"), [(8, 20, 5), (15, 15, 300)])
@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_the_vector_is_that_of_logistic_regression(one: int, other: int, dimensions: int, penalty: float) -> None:
    examples, first = groups(one, other, dimensions)
    centre = examples.mean(axis=0)
    scale = np.sqrt(((examples - centre) ** 2).sum(axis=1).mean())
    peer = LogisticRegression(C=1 / (len(first) * penalty), class_weight="balanced", tol=1e-10, max_iter=10_000)
    peer.fit((examples - centre) / scale, first)
    own = separate(examples @ examples.T, first, penalty)
    np.testing.assert_allclose(own.coefficients @ examples, peer.coef_[0] / scale, atol=1e-5 * np.abs(peer.coef_ / scale).max())
    expected = peer.decision_function((examples - centre) / scale)
    np.testing.assert_allclose(examples @ (own.coefficients @ examples) + own.intercept, expected, atol=1e-4 * np.abs(expected).max())


def test_the_score_is_that_of_the_peer_s_vector() -> None:
    examples, first = groups(12, 18, 64)
    gradients = np.random.default_rng(9).normal(size=(50, 64))
    scale = np.sqrt(((examples - examples.mean(axis=0)) ** 2).sum(axis=1).mean())
    peer = LogisticRegression(C=1 / (30 * 0.05), class_weight="balanced", tol=1e-10, max_iter=10_000).fit(examples / scale, first)
    vector = concept_vector(examples @ examples.T, np.arange(12), np.arange(12, 30), 0.05)
    own = tcav_scores(directional_derivatives(gradients @ examples.T, vector)[None])
    losses = gradients @ -peer.coef_[0]  # the gradient of the loss is that of the logit with the other sign
    assert own == pytest.approx((losses < 0).mean())
