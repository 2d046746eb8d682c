"""Linear concept vectors from the scalar products of activations, and the scores along them.

The method is that of Kim et al., ICML 2018, arXiv:1711.11279. A layer has a thousand times as many values as there are photos, and the best
vector is a sum of the photos' activations. So everything is computed from the products of activations with each other and with gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.special
from jaxtyping import Bool, Float, Int

_NO_RANK = 1e-10  # an eigenvalue below this share of the largest one cannot be told from rounding
_STEPS = 100
_FLAT = 1e-10  # the end is reached when the gradient is shorter than this


@dataclass(frozen=True)
class Separator:
    """A linear classifier: the first group is where v·x + b > 0, with v = Σ coefficients[i]·x_i.

    Attributes:
        coefficients: the share of each example in the vector v. Their sum is 0.
        intercept: b.
    """

    coefficients: Float[np.ndarray, " n"]
    intercept: float


def separate(products: Float[np.ndarray, "n n"], first: Bool[np.ndarray, " n"], penalty: float) -> Separator:
    """Fit a logistic regression to two groups of examples x by the products X·Xᵀ.

    Newton's method finds the v and b with the least Σ c_i·log(1 + exp(−y_i·(v·z_i + b))) + penalty/2·‖v‖², where y is 1 for the first
    group and −1 for the second, and c_i is 1/2 divided by the size of the group, so that both groups count alike. z is x − mean(x), divided
    by the root of its mean square length, so that the penalty means the same for all layers. In scikit-learn this is `LogisticRegression`
    with `class_weight="balanced"` and C = 1 / (n·penalty).

    Args:
        products: the scalar products of all examples.
        first: which examples are in the first group. Both groups have some.
        penalty: the weight of the vector's length, above 0.
    """
    count = len(products)
    centred = products - products.mean(axis=0) - products.mean(axis=1)[:, None] + products.mean()
    scale = np.sqrt(max(float(np.trace(centred)), 0.0) / count)
    values, vectors = np.linalg.eigh(centred)
    kept = values > _NO_RANK * max(values[-1], 0.0)
    if not kept.any():
        return Separator(np.zeros(count), 0.0)
    roots = np.sqrt(values[kept])
    rows = np.column_stack([vectors[:, kept] * roots / scale, np.ones(count)])  # the examples in an orthogonal basis, and 1 for b
    signs = np.where(first, 1.0, -1.0)
    found = _least(rows * signs[:, None], np.where(first, 0.5 / first.sum(), 0.5 / (~first).sum()), penalty)
    along = vectors[:, kept] @ (found[:-1] / roots) / scale
    coefficients = along - along.mean()
    return Separator(coefficients, float(found[-1] - coefficients @ products.mean(axis=1)))


def _least(rows: Float[np.ndarray, "n r"], weights: Float[np.ndarray, " n"], penalty: float) -> Float[np.ndarray, " r"]:
    """Return the u with the least Σ weights·log(1 + exp(−rows·u)) + penalty/2·‖u‖², where the last entry of u is free of the penalty."""
    free = np.full(rows.shape[1], penalty)
    free[-1] = 0.0

    def cost(point: Float[np.ndarray, " r"]) -> float:
        return float(weights @ np.logaddexp(0.0, -rows @ point) + free @ point**2 / 2)

    point = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        wrong = scipy.special.expit(-rows @ point)
        gradient = free * point - rows.T @ (weights * wrong)
        if np.linalg.norm(gradient) < _FLAT:
            break
        bend = (rows * (weights * wrong * (1 - wrong))[:, None]).T @ rows + np.diag(free)
        step, size, before = np.linalg.solve(bend, gradient), 1.0, cost(point)
        while cost(point - size * step) > before - 1e-4 * size * float(gradient @ step) and size > 1e-6:
            size /= 2
        point = point - size * step
    return point


def held_out_accuracy(products: Float[np.ndarray, "n n"], first: Bool[np.ndarray, " n"], penalty: float, parts: int = 5) -> float:
    """Return how well `separate` tells the two groups apart on examples that it has not seen: the mean of the shares of both groups.

    Each group is dealt into `parts` parts, or as many as the smaller group has examples. Each part is told by the vector of the others.
    The arguments are those of `separate`; both groups have at least two examples.
    """
    parts = min(parts, int(first.sum()), int((~first).sum()))
    place = np.where(first, np.cumsum(first) - 1, np.cumsum(~first) - 1) % parts
    right = np.zeros(len(products), bool)
    for part in range(parts):
        seen, held = np.flatnonzero(place != part), np.flatnonzero(place == part)
        found = separate(products[np.ix_(seen, seen)], first[seen], penalty)
        right[held] = (products[np.ix_(held, seen)] @ found.coefficients + found.intercept > 0) == first[held]
    return float(right[first].mean() + right[~first].mean()) / 2


@dataclass(frozen=True)
class ConceptVector:
    """A concept vector of length 1, and what it is worth.

    Attributes:
        examples: the numbers of the photos that it is a sum of.
        coefficients: the share of each of them. All are 0 if their activations do not differ.
        accuracy: the accuracy on photos that it was not fitted to.
    """

    examples: Int[np.ndarray, " n"]
    coefficients: Float[np.ndarray, " n"]
    accuracy: float


def concept_vector(
    products: Float[np.ndarray, "all all"], concept: Int[np.ndarray, " c"], others: Int[np.ndarray, " o"], penalty: float
) -> ConceptVector:
    """Return the vector from the activations of some photos to those of a concept. `concept` and `others` are the numbers of the photos."""
    examples = np.concatenate([concept, others])
    own, first = products[np.ix_(examples, examples)], np.arange(len(examples)) < len(concept)
    found = separate(own, first, penalty).coefficients
    length = np.sqrt(max(float(found @ own @ found), 0.0))
    return ConceptVector(examples, found / length if length > 0 else found, held_out_accuracy(own, first, penalty))


def directional_derivatives(gradient_products: Float[np.ndarray, "m all"], vector: ConceptVector) -> Float[np.ndarray, " m"]:
    """Return ∇score·v for each photo of the class. `gradient_products` are the products of its gradient with all activations."""
    return gradient_products[:, vector.examples] @ vector.coefficients


def tcav_scores(derivatives: Float[np.ndarray, "v m"]) -> Float[np.ndarray, " v"]:
    """Return the share of the photos of a class with a derivative above 0, for each vector."""
    return (derivatives > 0).mean(axis=-1)


def two_sided_p(one: Float[np.ndarray, " n"], other: Float[np.ndarray, " m"]) -> float | None:
    """Return the p-value of Student's t-test that two samples have one mean, with one variance for both, as tensorflow/tcav does.

    It is None if a sample has fewer than two values, or if neither varies, because then there is no t.
    """
    freedom = len(one) + len(other) - 2
    if min(len(one), len(other)) < 2:
        return None
    variance = float(((one - one.mean()) ** 2).sum() + ((other - other.mean()) ** 2).sum()) / freedom
    if variance < 1e-20:
        return None
    t = float(one.mean() - other.mean()) / np.sqrt(variance * (1 / len(one) + 1 / len(other)))
    return float(2 * scipy.special.stdtr(freedom, -abs(t)))
