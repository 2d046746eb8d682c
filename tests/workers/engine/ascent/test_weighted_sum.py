from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from schemas.errors import InvalidParameters
from tests.workers.engine.ascent.support import TF_PREPROCESSING, ascent, fourier_spec, lively, pixel_spec, run
from tests.zoo import ZOO, photo_batch, seeded
from workers.contract.synthesis import Objective, Term
from workers.engine.ascent.ascent_step import step_key
from workers.engine.ascent.objective_functions import objective_numbers
from workers.engine.ascent.weighted_sum import weighted_sum
from workers.engine.compiled_cache import CompiledCache
from workers.engine.graph import Graph

MIXED = (
    Term("channel", 3, 2.0, "conv2"),
    Term("class", 1, -0.5),
    Term("neuron", 4, 1.5, "conv1", (2, 5)),
    Term("channel", 0, -1.0, "conv2"),
    Term("neuron", 1, 0.25, "conv1", (0, 7)),
    Term("channel", 2, 3.0, "hidden"),
)


def values_of(model: keras.Model, goal: Objective, x: np.ndarray, *, redirect: bool = False) -> np.ndarray:
    at = weighted_sum(Graph(model), goal, "photo", redirect=redirect, precision="float32")
    return np.asarray(at(x, np.zeros(len(x), np.int32), objective_numbers(goal)))


def test_a_sum_is_that_of_its_terms() -> None:
    model = ZOO["functional"]()
    x = photo_batch(model, 3)
    maps, logits = Graph(model).class_scores(x, ["conv1", "conv2", "hidden"])
    conv1, conv2, hidden = (np.asarray(maps[path]) for path in ("conv1", "conv2", "hidden"))
    means = conv2.mean(axis=(1, 2))
    expected = 2 * means[:, 3] - means[:, 0] - 0.5 * np.asarray(logits)[:, 1]
    expected += 1.5 * conv1[:, 2, 5, 4] + 0.25 * conv1[:, 0, 7, 1] + 3 * hidden[:, 2]
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(values_of(model, Objective("sum", terms=MIXED), x), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(values_of(model, Objective("sum", terms=MIXED), x, redirect=True), expected, rtol=1e-4, atol=1e-5)


def test_a_direction_is_the_product_with_the_means_and_leaves_the_margin_out() -> None:
    model = lively()
    x = photo_batch(model, 2, size=(16, 12))
    direction = {5: 1.0, 2: -2.0, 7: 0.5}
    goal = Objective("sum", margin=1, terms=tuple(Term("channel", channel, weight, "conv2") for channel, weight in direction.items()))
    means = np.asarray(Graph(model).run(x, ["conv2"])["conv2"])[:, 1:-1, 1:-1].mean(axis=(1, 2))
    np.testing.assert_allclose(values_of(model, goal, x), means[:, [5, 2, 7]] @ [1, -2, 0.5], rtol=1e-4, atol=1e-6)


def test_a_sum_of_one_term_gives_the_picture_of_that_objective() -> None:
    model = lively()
    alone = run(model, fourier_spec(Objective("channel", "conv2", (3,)), steps=5))
    summed = run(model, fourier_spec(Objective("sum", terms=(Term("channel", 3, 1.0, "conv2"),)), steps=5))
    # The starts differ, because they depend on the seed and the channel.
    assert np.abs(alone.images - summed.images).max() > 1e-3
    same = run(model, fourier_spec(Objective("channel", "conv2", (0,)), steps=5))
    summed = run(model, fourier_spec(Objective("sum", terms=(Term("channel", 0, 1.0, "conv2"),)), steps=5))
    np.testing.assert_allclose(summed.values, same.values, rtol=1e-4)
    np.testing.assert_allclose(summed.images, same.images, atol=1e-3)


@pytest.mark.parametrize("spec_of", [fourier_spec, pixel_spec])
def test_the_sum_rises_deterministically(spec_of: object) -> None:
    model = lively()
    terms = (Term("channel", 5, 1.0, "conv2"), Term("channel", 2, -1.0, "conv1"), Term("class", 2, 0.5))
    spec = (fourier_spec if spec_of is fourier_spec else pixel_spec)(Objective("sum", terms=terms), steps=25, size=(17, 14))
    state = run(model, spec)
    assert state.values[0, -1] > state.values[0, 0] + 0.3
    assert (np.diff(state.values[0]) > 0).mean() > 0.9
    np.testing.assert_array_equal(run(model, spec).images, state.images)


def test_other_weights_channels_and_positions_are_not_compiled_anew() -> None:
    model, compiled = lively(), CompiledCache()
    graph = Graph(model)

    def finish(*terms: Term) -> None:
        for _ in ascent(graph, TF_PREPROCESSING, fourier_spec(Objective("sum", terms=terms), steps=2), compiled):
            pass

    finish(Term("channel", 5, 1.0, "conv2"), Term("neuron", 2, -1.0, "conv1", (1, 1)))
    traces = compiled.traces
    finish(Term("channel", 1, -3.0, "conv2"), Term("neuron", 0, 2.0, "conv1", (4, 2)))
    assert compiled.traces == traces
    other = fourier_spec(Objective("sum", terms=(Term("channel", 1, 1.0, "conv1"),)))
    assert step_key(other) != step_key(fourier_spec(Objective("sum", terms=(Term("channel", 1, 1.0, "conv2"),))))


def test_a_closed_relu_gets_a_gradient_with_redirection_alone() -> None:
    """Channel 0 of `closed` is -1 before its ReLU and 0 after it everywhere, so without redirection it has no gradient."""
    photo = keras.Input((None, None, 3), name="photo")
    model = seeded(keras.Model(photo, layers.Conv2D(2, 1, activation="relu", name="closed")(photo)))
    layer = model.get_layer("closed")
    layer.set_weights([layer.get_weights()[0] * 0.1, np.array([-1, 1], np.float32)])
    goal = Objective("sum", terms=(Term("channel", 0, 1.0, "closed"),))
    for redirect in (False, True):
        state = run(model, fourier_spec(goal, redirect=redirect, steps=2))
        assert state.gradient_seen.tolist() == [redirect]
        assert state.values.tolist() == [[0, 0]]


def test_a_neuron_outside_the_map_is_refused() -> None:
    goal = Objective("sum", terms=(Term("neuron", 1, 1.0, "conv2", (0, 0)), Term("neuron", 1, 1.0, "conv1", (13, 2))))
    with pytest.raises(InvalidParameters, match="Layer 'conv1' has a map of 13×9") as error:
        run(lively(), fourier_spec(goal))
    assert error.value.pointer == "/params/objectives"
