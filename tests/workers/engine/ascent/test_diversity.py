from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tests.workers.engine.ascent.support import TF_PREPROCESSING, ascent, finish, fourier_spec, lively
from tests.zoo import ZOO, photo_batch
from workers.contract.synthesis import AscentState, Objective
from workers.engine.ascent import cost
from workers.engine.ascent.diversity import diverse_objective, similarity
from workers.engine.ascent.objective_functions import objective_numbers
from workers.engine.compiled_cache import CompiledCache
from workers.engine.graph import Graph

DIVERSE = Objective("channel", "conv2", (5, 5, 5), diversity=2.0)


def run(objective: Objective, **changes: object) -> AscentState:
    state, _ = finish(ascent(Graph(lively()), TF_PREPROCESSING, fourier_spec(objective, **{"steps": 25, **changes}), CompiledCache()))
    return state


def expected(a: np.ndarray) -> np.ndarray:
    flat = a.reshape(len(a), -1, a.shape[-1]).astype(np.float64)
    grams = np.stack([(x.T @ x).ravel() / np.linalg.norm(x.T @ x) for x in flat])
    cosines = grams @ grams.T
    return (cosines.sum(axis=1) - np.diag(cosines)) / (len(a) - 1)


def test_similarity_is_worked_by_hand() -> None:
    """With two positions and two channels, the Gram matrices are diag(1, 1), diag(4, 0) and [[2, 2], [2, 2]].

    Their cosines are 1/√2, 1/√2 and 1/2.
    """
    a = np.array([[[[1, 0], [0, 1]]], [[[2, 0], [0, 0]]], [[[1, 1], [1, 1]]]], np.float32)
    half = 0.5**0.5
    np.testing.assert_allclose(similarity(tf.constant(a)), [half, (half + 0.5) / 2, (half + 0.5) / 2], rtol=1e-6)
    np.testing.assert_allclose(similarity(tf.constant(a[:1])), [0], atol=1e-6)
    assert np.isfinite(similarity(tf.constant(a * 0))).all()


@pytest.mark.parametrize("shape", [(3, 5, 4, 6), (4, 2, 1, 50), (3, 70)])
def test_both_ways_to_compute_similarity_agree_with_gram_matrices(shape: tuple[int, ...]) -> None:
    a = np.random.default_rng(0).normal(0.5, 1, shape).astype(np.float32)
    np.testing.assert_allclose(similarity(tf.constant(a)), expected(a), rtol=1e-4)


@pytest.mark.parametrize("redirect", [False, True])
def test_values_are_the_channel_mean_less_the_similarity(redirect: bool) -> None:
    model = ZOO["functional"]()
    x, goal = photo_batch(model, 3), Objective("channel", "conv2", (4, 4, 4), diversity=1.5, margin=1)
    maps = np.asarray(Graph(model).run(x, ["conv2"])["conv2"])
    values = diverse_objective(Graph(model), goal, "photo", redirect=redirect, precision="float32")(
        x, np.full(3, 4, np.int32), objective_numbers(goal)
    )
    np.testing.assert_allclose(values, maps[:, 1:-1, 1:-1, 4].mean(axis=(1, 2)) - 1.5 * expected(maps), rtol=1e-4, atol=1e-5)


def test_images_of_one_channel_come_to_differ_and_still_excite_it() -> None:
    plain, diverse = (run(replace(DIVERSE, diversity=weight), steps=60) for weight in (1e-6, 0.5))
    graph = Graph(lively())
    alike, unlike = (np.asarray(graph.run(state.images * 2 - 1, ["conv2"])["conv2"]) for state in (plain, diverse))
    assert expected(unlike).mean() < expected(alike).mean() - 0.2
    assert np.all(diverse.values[:, -1] > diverse.values[:, 0] + 0.3)
    assert np.all(unlike[..., 5].mean(axis=(1, 2)) > 0.5 * alike[..., 5].mean(axis=(1, 2)))
    np.testing.assert_array_equal(run(replace(DIVERSE, diversity=0.5), steps=60).images, diverse.images)


def test_starts_differ_and_the_first_is_that_of_the_channel_alone() -> None:
    alone, several = run(Objective("channel", "conv2", (5,)), steps=1), run(replace(DIVERSE, diversity=1e-9), steps=1)
    np.testing.assert_allclose(several.images[0], alone.images[0], atol=1e-4)
    assert min(np.abs(several.images[i] - several.images[j]).max() for i, j in ((0, 1), (0, 2), (1, 2))) > 1e-3


def test_diverse_images_are_computed_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    together = run(DIVERSE, steps=3)
    monkeypatch.setattr(cost, "images_per_call", lambda *_: 1)
    np.testing.assert_array_equal(run(DIVERSE, steps=3).images, together.images)
