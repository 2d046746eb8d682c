"""DeepLIFT through layer norm and attention: both are made of steps that have rules, so that nothing of a difference is lost.

A layer norm is a product of what is centred and of 1 / √variance, which is a function of one value. Attention is a product of queries and
keys, a softmax, and a product of its weights and the values. A softmax is exp(s − log Σ exp(s)), where the logarithm is shared among the
scores by the chain of the rescale rule. Every tensor holds a batch of examples and then their baselines, (2N, …).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from workers.engine.deep_lift.difference_rules import Compute, product, rescale, with_rule
from workers.engine.inference import call_for_inference
from workers.engine.keras_internals import COMPUTE_ATTENTION
from workers.engine.layer_copies import copy_layer
from workers.engine.relevance.layer_norms import LayerNorm

_MASKED = -1e9
_NEAR = 0.1  # below this difference, a series replaces a quotient that would lose digits


def normed(layer: Any, x: tf.Tensor) -> tf.Tensor:
    """Return the output of a layer norm, computed in float32."""
    norm = LayerNorm(layer)
    centred = norm.centred(tf.cast(x, tf.float32))
    variance = norm.mean(with_rule(rescale, tf.square, [centred]))
    reciprocal = with_rule(rescale, norm.reciprocal, [variance])
    return tf.cast(norm.scaled(with_rule(product, tf.multiply, [centred, reciprocal])), layer.compute_dtype)


def attended(layer: Any) -> Callable[..., Any]:
    """Return a call of an attention layer of tokens, in which differences go back through queries, keys and values."""

    def compute(query: Any, key: Any, value: Any, attention_mask: Any = None, *_: Any, **options: Any) -> tuple[tf.Tensor, tf.Tensor]:
        size = int(query.shape[-1])
        scores = with_rule(product, lambda q, k: tf.einsum("bthd,bshd->bhts", q, k), [query * size**-0.5, key])
        mask = _mask(attention_mask, scores, causal=bool(options.get("use_causal_mask")))
        if mask is not None:
            scores = tf.where(mask, scores, tf.cast(_MASKED, scores.dtype))
        weights = softmax(scores)
        return with_rule(product, lambda a, v: tf.einsum("bhts,bshd->bthd", a, v), [weights, value]), weights

    copied = copy_layer(layer, **{COMPUTE_ATTENTION: compute})
    return lambda *args, **kwargs: call_for_inference(copied, args, kwargs)


def softmax(scores: tf.Tensor) -> tf.Tensor:
    """Return the softmax over the last axis."""
    total = with_rule(_log_of_sum, lambda s: tf.reduce_logsumexp(s, axis=-1, keepdims=True), [scores])
    return with_rule(rescale, tf.exp, [scores - total])


def _log_of_sum(compute: Compute, inputs: Sequence[tf.Tensor], output: tf.Tensor, multiplier: tf.Tensor) -> list[tf.Tensor]:
    """Return m · (Δe_j / Δs_j) · (Δ log Z / ΔZ) with e_j = exp(s_j) and Z = Σ e_j. The parts of ΔZ add up, so those of Δ log Z do, too."""
    del compute
    (scores,) = inputs
    own, other = tf.split(scores, 2)
    total, total_other = tf.split(output, 2)
    most = tf.maximum(total, total_other)  # all powers are divided by that of the larger total, which changes no quotient
    shares = _quotient_of_exp(own - most, other - most) / _quotient_of_exp(total - most, total_other - most)
    found = tf.split(multiplier, 2)[0] * shares
    return [tf.concat([found, tf.zeros_like(found)], axis=0)]


def _quotient_of_exp(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return (exp(a) − exp(b)) / (a − b), which is exp(a) where both are equal."""
    difference = a - b
    near = tf.abs(difference) < _NEAR
    squares = tf.square(tf.where(near, difference, tf.zeros_like(difference)))
    series = tf.exp((a + b) / 2) * (1 + squares / 24 + tf.square(squares) / 1920)
    return tf.where(near, series, (tf.exp(a) - tf.exp(b)) / tf.where(near, tf.ones_like(difference), difference))


def _mask(given: Any, scores: tf.Tensor, *, causal: bool) -> tf.Tensor | None:
    """Return which keys each query may attend to, in the shape of the scores (N, heads, T, S) or one that is repeated to it."""
    mask = None
    if given is not None:
        mask = tf.cast(given, tf.bool)
        mask = mask if len(mask.shape) == len(scores.shape) else mask[:, None]
    if causal:
        lower = tf.linalg.band_part(tf.ones(tf.shape(scores)[-2:], tf.bool), -1, 0)
        mask = lower if mask is None else tf.logical_and(mask, lower)
    return mask
