"""Rank methods by several measures over several photos (Demšar, Statistical Comparisons of Classifiers, JMLR 7, 2006)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float64
from scipy import stats

from workers.methods.class_scores import ROUNDING

CONFIDENCE = 0.95


def ranks(values: Sequence[float | None], *, higher: bool) -> Float64[np.ndarray, " k"]:
    """Return the rank of each of k values, 1 for the best.

    Values that differ by less than rounding share the mean of their ranks. Methods without a value share the last ranks.

    Args:
        values: one value for each method. None stands for no value.
        higher: true if higher is better.
    """
    found = np.array([np.inf if each is None else (-each if higher else each) for each in values])
    order = np.argsort(found, kind="stable")
    groups = np.zeros(len(found), np.int64)
    for before, here in pairwise(order.tolist()):
        groups[here] = groups[before] + (not math.isclose(found[before], found[here], rel_tol=ROUNDING))
    return stats.rankdata(groups, method="average")


def interval(samples: Float64[np.ndarray, " n"]) -> float | None:
    """Return t·s/√n, half of the 95 % confidence interval of the mean of n samples. It is None for one sample."""
    n = len(samples)
    if n < 2:
        return None
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * samples.std(ddof=1) / np.sqrt(n))


def as_good(samples: Float64[np.ndarray, " n"], best: Float64[np.ndarray, " n"]) -> bool | None:
    """Say whether the mean of the paired differences is not significantly above 0 (t test, two-sided, 5 %). It is None for one pair."""
    differences = samples - best
    half = interval(differences)
    return None if half is None else bool(differences.mean() <= half)


def friedman_p(photo_ranks: Float64[np.ndarray, "n k"]) -> float | None:
    """Return the p value of the Friedman test of k methods over n photos. It is None for n < 2 or k < 3, and if all ranks are tied."""
    n, k = photo_ranks.shape
    if n < 2 or k < 3 or not np.ptp(photo_ranks, axis=1).any():
        return None
    return float(stats.friedmanchisquare(*photo_ranks.T).pvalue)
