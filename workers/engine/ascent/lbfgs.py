"""L-BFGS, uphill: it learns the curvature of the objective from the last steps, so that it needs far fewer steps than Adam.

Source: Liu and Nocedal, On the limited memory BFGS method for large scale optimization, 1989; Nocedal and Wright, Numerical Optimization,
algorithms 7.4 (two loops) and 3.1 (backtracking). It suits objectives without random transforms, which are the same at every step.

One call evaluates the objective once, so that a job can give way to others between two evaluations. The state is a tuple of tensors whose
first axis is the batch. Each image has a state of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import tensorflow as tf

MEMORY = 10  # pairs of a step and a change of the gradient that are remembered
SUFFICIENT = 1e-4  # a trial is taken if it gains at least this share of what its slope promises
SHORTEST = 1e-6  # a shorter share of a direction is given up, and the memory with it
LEAST_CURVATURE = 1e-10  # a pair whose curvature is relatively smaller is not remembered


class LbfgsState(NamedTuple):
    """The state for n images, whose variables have the shape (n, *shape).

    Attributes:
        taken: The variables of the last trial that was taken, (n, *shape).
        gradient: The gradient of the score there, (n, *shape).
        score: The score there, (n,).
        value: The objective there, which is the score without penalties, (n,).
        direction: The direction of the present trial, (n, *shape).
        length: The share of the direction that the present trial goes, (n,).
        steps: The last steps, (n, MEMORY, *shape). The oldest one is overwritten by the next.
        changes: How much the gradient fell in each of them, (n, MEMORY, *shape).
        inverses: 1 / ⟨step, change⟩ of each pair, and 0 where there is no pair, (n, MEMORY).
        count: The number of pairs that were ever remembered, int32 (n,). Pair number k is at place k modulo MEMORY.
    """

    taken: Any
    gradient: Any
    score: Any
    value: Any
    direction: Any
    length: Any
    steps: Any
    changes: Any
    inverses: Any
    count: Any


class Measured(NamedTuple):
    """The measurements at the present trial: the score (n,), its gradient (n, *shape), the objective (n,), and if all are finite (n,)."""

    score: Any
    gradient: Any
    value: Any
    finite: Any


def first_state(variable: Any) -> LbfgsState:
    """Return the state before anything is measured; `variable` (n, *shape) is the first trial."""
    variable = tf.convert_to_tensor(variable)
    zeros, none = tf.zeros_like(variable), tf.zeros(variable.shape[:1])
    memory = tf.zeros((variable.shape[0], MEMORY, *variable.shape[1:]))
    inverses, count = tf.zeros((variable.shape[0], MEMORY)), tf.zeros(variable.shape[:1], tf.int32)
    return LbfgsState(variable, zeros, none, none, zeros, none, memory, memory, inverses, count)


def state_spec(variable: tf.TensorSpec) -> LbfgsState:
    """Return the types of the state of variables of the type `variable`."""
    numbers = tf.TensorSpec(variable.shape[:1], tf.float32)
    memory = tf.TensorSpec((None, MEMORY, *variable.shape[1:]), tf.float32)
    inverses, count = tf.TensorSpec((None, MEMORY), tf.float32), tf.TensorSpec((None,), tf.int32)
    return LbfgsState(variable, variable, numbers, numbers, variable, numbers, memory, memory, inverses, count)


def next_trial(trial: Any, measured: Measured, state: LbfgsState, number: Any, first_length: Any) -> tuple[Any, LbfgsState]:
    """Return the next trial (n, *shape) and the state, uphill.

    Args:
        trial: The variables that were measured, (n, *shape).
        measured: What was measured there.
        state: The state before.
        number: The number of the step, which counts from 0.
        first_length: The root mean square of the first step.
    """
    slope = _dot(state.gradient, state.direction)
    is_first = tf.equal(number, 0)
    gains = measured.score >= state.score + SUFFICIENT * state.length * slope
    taken = measured.finite & (is_first | gains)
    moved = _remembered(_taken(trial, measured, state, taken), trial, measured, state, taken & ~is_first)
    # A trial that was refused is tried again at half the length. When that becomes too short, ascent begins anew along the gradient.
    length = tf.where(taken, tf.ones_like(state.length), state.length / 2)
    anew = length < SHORTEST
    moved = moved._replace(inverses=tf.where(anew[:, None], 0.0, moved.inverses))
    turned = _where(taken | anew, _direction(moved, first_length), state.direction)
    length = tf.where(anew, tf.ones_like(length), length)
    moved = moved._replace(direction=turned, length=length)
    return moved.taken + _wide(length, turned) * turned, moved


def _taken(trial: Any, measured: Measured, state: LbfgsState, taken: Any) -> LbfgsState:
    return state._replace(
        taken=_where(taken, trial, state.taken),
        gradient=_where(taken, measured.gradient, state.gradient),
        score=tf.where(taken, measured.score, state.score),
        value=tf.where(taken, measured.value, state.value),
    )


def _remembered(moved: LbfgsState, trial: Any, measured: Measured, before: LbfgsState, taken: Any) -> LbfgsState:
    """Return `moved` with the pair of the trial that was taken, if its curvature is positive."""
    step, change = trial - before.taken, before.gradient - measured.gradient
    curvature = _dot(step, change)
    kept = taken & (curvature > LEAST_CURVATURE * _dot(change, change))

    place = before.count % MEMORY
    places = tf.stack([tf.range(tf.shape(place)[0]), place], axis=1)

    def written(memory: Any, new: Any) -> Any:
        old = tf.gather(memory, place, axis=1, batch_dims=1)
        return tf.tensor_scatter_nd_update(memory, places, _where(kept, new, old))

    inverse = tf.where(kept, 1.0 / tf.where(kept, curvature, 1.0), 0.0)
    return moved._replace(
        steps=written(moved.steps, step),
        changes=written(moved.changes, change),
        inverses=written(moved.inverses, inverse),
        count=before.count + tf.cast(kept, tf.int32),
    )


def _direction(state: LbfgsState, first_length: Any) -> Any:
    """Return the direction H · g: the inverse of the curvature times the gradient g, by the two loops of algorithm 7.4.

    The loops reckon with products of vectors alone, which two multiplications of matrices give, and not with the vectors themselves
    (Chen et al., Large-scale L-BFGS using MapReduce, NeurIPS 2014).
    """
    gradient, steps, changes = _flat(state.gradient, 1)[..., None], _flat(state.steps, 2), _flat(state.changes, 2)
    newest_first = (state.count[:, None] - 1 - tf.range(MEMORY)) % MEMORY

    def sorted_rows(rows: Any) -> Any:
        return tf.gather(rows, newest_first, axis=1, batch_dims=1)

    def products(others: Any) -> Any:
        unsorted = tf.matmul(others, changes, transpose_b=True)
        return tf.gather(sorted_rows(unsorted), newest_first, axis=2, batch_dims=1)

    of_steps, of_changes = (tf.unstack(sorted_rows(tf.matmul(rows, gradient))[..., 0], axis=1) for rows in (steps, changes))
    step_change, change_change = products(steps), products(changes)
    inverses = tf.unstack(sorted_rows(state.inverses), axis=1)
    weights: list[Any] = []  # of the changes, which are taken from the gradient
    for pair in range(MEMORY):
        along = of_steps[pair] - _sum(weight * step_change[:, pair, other] for other, weight in enumerate(weights))
        weights.append(inverses[pair] * along)
    rms = tf.sqrt(tf.reduce_mean(tf.square(gradient), axis=(1, 2)))
    curvature = tf.math.divide_no_nan(1.0, inverses[0] * change_change[:, 0, 0])
    scale = tf.where(inverses[0] > 0, curvature, tf.math.divide_no_nan(first_length, rms))
    added: list[Any] = [tf.zeros_like(scale)] * MEMORY  # weights of the steps, which are added at the end
    for pair in reversed(range(MEMORY)):
        along = scale * (of_changes[pair] - _sum(weight * change_change[:, pair, other] for other, weight in enumerate(weights)))
        along += _sum(added[other] * step_change[:, other, pair] for other in range(pair + 1, MEMORY))
        added[pair] = weights[pair] - inverses[pair] * along

    def combined(rows: Any, sorted_weights: list[Any]) -> Any:
        places = tf.argsort(newest_first, axis=1)
        return tf.matmul(rows, tf.gather(tf.stack(sorted_weights, axis=1), places, axis=1, batch_dims=1)[..., None], transpose_a=True)

    direction = scale[:, None, None] * (gradient - combined(changes, weights)) + combined(steps, added)
    return tf.reshape(direction, tf.shape(state.gradient))


def _flat(tensor: Any, axes: int) -> Any:
    """Return the tensor with all axes but the first `axes` as one."""
    return tf.reshape(tensor, tf.concat([tf.shape(tensor)[:axes], [-1]], axis=0))


def _sum(terms: Iterable[Any]) -> Any:
    return sum(terms, start=tf.constant(0.0))


def _axes(values: Any) -> tuple[int, ...]:
    return tuple(range(1, len(values.shape)))


def _dot(one: Any, other: Any) -> Any:
    """Return the sum of products of each image, (n, …) → (n,)."""
    return tf.reduce_sum(one * other, axis=_axes(one))


def _wide(numbers: Any, like: Any) -> Any:
    """Return (n,) as (n, 1, …), with as many axes as `like`."""
    return tf.reshape(numbers, (-1, *(1,) * (len(like.shape) - 1)))


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return tf.where(_wide(condition, yes), yes, no)
