from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.optimize import minimize

from tests.workers.engine.ascent.support import fourier_spec, lively, run
from workers.contract.synthesis import Objective
from workers.engine.ascent.lbfgs import LbfgsState, Measured, first_state, next_trial

Values = NDArray[np.floating]


def climb(function: Callable[[tf.Tensor], tf.Tensor], start: Values, steps: int, first_length: float = 0.1) -> tuple[Values, list[Values]]:
    """Return where L-BFGS arrives on `function`, (n, …) → (n,), and every trial."""

    @tf.function
    def step(trial: tf.Tensor, state: LbfgsState, number: tf.Tensor) -> tuple[tf.Tensor, LbfgsState]:
        with tf.GradientTape() as tape:
            tape.watch(trial)
            score = function(trial)
        gradient = tape.gradient(score, trial)
        finite = tf.math.is_finite(score) & tf.reduce_all(tf.math.is_finite(gradient), axis=1)
        return next_trial(trial, Measured(score, gradient, score, finite), state, number, first_length)

    trial, trials = tf.constant(start, tf.float32), []
    state = first_state(trial)
    for number in range(steps):
        trials.append(trial.numpy())
        trial, state = step(trial, state, tf.constant(number))
    return state.taken.numpy(), trials


def valley(points: tf.Tensor) -> tf.Tensor:
    """Return the negative of Rosenbrock's function; its top is 0 at (1, 1)."""
    x, y = points[:, 0], points[:, 1]
    return -((1 - x) ** 2 + 100 * (y - x**2) ** 2)


def test_two_steps_by_hand() -> None:
    """On −2x² the gradient at 3 is −12. After a first step of 0.1 the curvature 4 is known, so the next step goes to the top."""
    _, trials = climb(lambda x: -2 * x[:, 0] ** 2, np.array([[3.0]]), 3)
    np.testing.assert_allclose(np.ravel(trials), [3, 2.9, 0], atol=1e-5)


def test_a_trial_that_falls_is_tried_again_at_half_the_length() -> None:
    """On −x² the first step of 8 from 3 goes to −5, which is lower. Half of it goes to −1, and there the curvature is known."""
    _, trials = climb(lambda x: -(x[:, 0] ** 2), np.array([[3.0]]), 4, first_length=8.0)
    np.testing.assert_allclose(np.ravel(trials), [3, -5, -1, 0], atol=1e-5)


def test_a_trial_that_is_not_finite_is_refused() -> None:
    """log(2 − x) + x has its top at 1. The first step of 4 from −1 leads to 3, where it has no value."""
    reached, trials = climb(lambda x: tf.math.log(2 - x[:, 0]) + x[:, 0], np.array([[-1.0]]), 20, first_length=4.0)
    assert trials[1].item() == 3.0
    np.testing.assert_allclose(reached, [[1.0]], atol=1e-3)


def test_it_reaches_the_top_of_a_curved_valley_as_scipy_does() -> None:
    start = np.array([[-1.2, 1.0], [2.0, -1.0]])
    reached, _ = climb(valley, start, 80)
    np.testing.assert_allclose(reached, np.ones((2, 2)), atol=2e-2)
    theirs = minimize(lambda point: -valley(tf.constant(point[None])).numpy().item(), start[0], method="L-BFGS-B")
    np.testing.assert_allclose(reached[0], theirs.x, atol=2e-2)


def test_images_of_a_batch_do_not_see_each_other() -> None:
    start = np.array([[-1.2, 1.0], [2.0, -1.0], [0.3, 0.2]])
    together, _ = climb(valley, start, 15)
    for own, expected in zip(start, together, strict=True):
        alone, _ = climb(valley, own[None], 15)
        np.testing.assert_allclose(alone[0], expected, rtol=1e-3, atol=1e-4)


def test_no_gradient_is_no_step() -> None:
    reached, trials = climb(lambda x: 0 * x[:, 0], np.array([[0.7]]), 3)
    np.testing.assert_allclose(np.ravel([*trials, reached]), 0.7)


def test_it_comes_nearer_to_features_than_adam_and_its_values_never_fall() -> None:
    model = lively()
    image = np.random.default_rng(1).uniform(-1, 1, (1, 13, 9, 3)).astype(np.float32)
    features = model.get_layer("conv1")(image)[0].numpy()
    objective = Objective("l2", "conv1", features=features)
    found = {name: run(model, fourier_spec(objective, optimizer=name, steps=40)) for name in ("lbfgs", "adam")}
    values = found["lbfgs"].values[0]
    assert (np.diff(values) >= 0).all()
    assert values[-1] > 0.5 * found["adam"].values[0, -1]  # both are below 0, which is reached at the image
