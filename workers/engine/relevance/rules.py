"""The rules by which a linear map z = W∗x + b hands the relevance R of its output back to its input.

Sources: ε and αβ, Bach et al. 2015 (doi:10.1371/journal.pone.0130140), equations 58 and 60; z⁺, w² and z-box, Montavon et al. 2017
(doi:10.1016/j.patcog.2016.11.008); γ, Montavon et al. 2019 (doi:10.1007/978-3-030-28954-6_10); flat, Lapuschkin et al. 2019
(doi:10.1038/s41467-019-08987-4). Inputs below 0 are treated as Zennit 0.5 does (arXiv:2106.13200). x⁺ and x⁻ stand for the parts of x
above and below 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from schemas.methods.relevance.rules import FirstRule
from workers.contract.relevance import MapRule, RelevanceRules
from workers.engine.relevance.linear_parts import LinearPart

STABILISER = 1e-6
"""The number by which denominators are kept away from 0, in all rules but ε."""

Bounds = tuple[tf.Tensor, tf.Tensor]
"""The lowest and the highest values that the input x of a map can have, each of the shape of x."""


def stabilised(z: tf.Tensor, epsilon: float = STABILISER) -> tf.Tensor:
    """Return z + ε where z is 0 or more, and z − ε elsewhere."""
    small = tf.cast(epsilon, z.dtype)
    return z + tf.where(z < 0, -small, small)


@dataclass(frozen=True)
class Propagation:
    """The rule of one linear map, with its numbers.

    Attributes:
        rule: the rule's name.
        rules: the numbers ε, γ and α.
        bounds: the range of the map's input, which the rule `z_box` needs. For the rules `flat` and `w_square`, places whose lowest and
            highest values are equal, which are padding, get nothing.
    """

    rule: FirstRule | MapRule
    rules: RelevanceRules
    bounds: Bounds | None = None

    def back(self, part: LinearPart, x: tf.Tensor, relevance: tf.Tensor) -> tf.Tensor:
        """Return the relevance of the input x of a linear map, float32 of the shape of x.

        Args:
            part: the linear map.
            x: the input of the map, float32 (N, …).
            relevance: the relevance of the map's output, float32 of the output's shape.

        Raises:
            ValueError: the rule is `z_box` and there are no bounds.
        """
        if self.rule == "z_box":
            if self.bounds is None:
                raise ValueError("the rule z_box needs the lowest and the highest values of the input")
            return z_box(part, x, relevance, self.bounds)
        if self.rule in ("flat", "w_square"):
            given = tf.ones_like(x) if self.bounds is None else tf.cast(self.bounds[1] > self.bounds[0], x.dtype)
            return by_kernel(part, given, relevance, tf.ones_like if self.rule == "flat" else tf.square)
        if self.rule in ("excitation", "contrast"):
            return excitation(part, x, relevance, contrast=self.rule == "contrast")
        if self.rule == "epsilon":
            return epsilon(part, x, relevance, self.rules.epsilon)
        if self.rule == "gamma":
            return gamma(part, x, relevance, self.rules.gamma)
        return alpha_beta(part, x, relevance, 1 if self.rule == "z_plus" else self.rules.alpha)


def epsilon(part: LinearPart, x: tf.Tensor, relevance: tf.Tensor, small: float) -> tf.Tensor:
    """Return x·Wᵀ(R / (z ± ε)). The bias keeps its share, and so does ε."""
    return x * part.transposed(x, part.kernel(), relevance / stabilised(part.output(x), small))


def gamma(part: LinearPart, x: tf.Tensor, relevance: tf.Tensor, strength: float) -> tf.Tensor:
    """Return the shares of contributions of which those with the sign of z are multiplied by 1 + γ.

    For x ≥ 0 and z > 0, this is x·(W + γW⁺)ᵀ(R / ((W + γW⁺)∗x + b + γb⁺)).
    """
    kernel, z = part.kernel(), part.output(x)
    above, below = tf.nn.relu(x), tf.minimum(x, 0)
    more, less = kernel + strength * tf.nn.relu(kernel), kernel + strength * tf.minimum(kernel, 0)
    bias = 0.0 if part.bias is None else part.bias()
    zero = tf.zeros_like(relevance)
    found = tf.zeros_like(x)
    for chosen, kernel_above, kernel_below, strong in (
        (z > 0, more, less, tf.nn.relu(bias)),
        (z < 0, less, more, tf.minimum(bias, 0.0)),
    ):
        total = part.apply(above, kernel_above) + part.apply(below, kernel_below) + bias + strength * strong
        share = tf.where(chosen, relevance / stabilised(total), zero)
        found += above * part.transposed(x, kernel_above, share) + below * part.transposed(x, kernel_below, share)
    return found


def alpha_beta(part: LinearPart, x: tf.Tensor, relevance: tf.Tensor, alpha: float) -> tf.Tensor:
    """Return α times the shares of the contributions above 0, minus β = α − 1 times the shares of those below 0.

    With α = 1 this is the rule z⁺. A bias above 0 keeps its share of the first, and one below 0 of the second.
    """
    kernel = part.kernel()
    above, below = tf.nn.relu(x), tf.minimum(x, 0)
    positive, negative = tf.nn.relu(kernel), tf.minimum(kernel, 0)
    bias = 0.0 if part.bias is None else part.bias()
    total = part.apply(above, positive) + part.apply(below, negative) + tf.nn.relu(bias)
    share = alpha * relevance / stabilised(total)
    found = above * part.transposed(x, positive, share) + below * part.transposed(x, negative, share)
    if alpha == 1:
        return found
    total = part.apply(above, negative) + part.apply(below, positive) + tf.minimum(bias, 0.0)
    share = (alpha - 1) * relevance / stabilised(total)
    return found - above * part.transposed(x, negative, share) - below * part.transposed(x, positive, share)


def by_kernel(part: LinearPart, given: tf.Tensor, relevance: tf.Tensor, weigh: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Return the shares of the inputs by weights that depend on the kernel alone: 1 for the flat rule, and W² for the rule w².

    `given` has the shape of x, and is 1 where there is an input and 0 where there is padding.
    """
    kernel = weigh(part.kernel())
    return given * part.transposed(given, kernel, relevance / stabilised(part.apply(given, kernel)))


def excitation(part: LinearPart, x: tf.Tensor, relevance: tf.Tensor, *, contrast: bool) -> tf.Tensor:
    """Return x⁺·(W⁺)ᵀ(R / (W⁺∗x⁺)), and with `contrast` this minus the same for −W. Biases do not count (arXiv:1608.00507)."""
    above, found = tf.nn.relu(x), tf.zeros_like(x)
    for sign in (1, -1) if contrast else (1,):
        kernel = tf.nn.relu(sign * part.kernel())
        found += sign * above * part.transposed(x, kernel, relevance / stabilised(part.apply(above, kernel)))
    return found


def z_box(part: LinearPart, x: tf.Tensor, relevance: tf.Tensor, bounds: Bounds) -> tf.Tensor:
    """Return the shares of W·x − W⁺·low − W⁻·high, none of which is below 0 for low ≤ x ≤ high. The bias has no share."""
    kernel = part.kernel()
    positive, negative = tf.nn.relu(kernel), tf.minimum(kernel, 0)
    low, high = bounds
    total = part.apply(x, kernel) - part.apply(low, positive) - part.apply(high, negative)
    share = relevance / stabilised(total)
    return x * part.transposed(x, kernel, share) - low * part.transposed(x, positive, share) - high * part.transposed(x, negative, share)
