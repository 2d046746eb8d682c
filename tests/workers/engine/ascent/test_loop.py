from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import InvalidParameters, NoGradient, NonFinite, UnknownLayer
from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from tests.workers.engine.ascent.support import TF_PREPROCESSING, finish, fourier_spec, lively, pixel_spec, run
from tests.zoo import ZOO, seeded
from workers.contract.synthesis import AscentSpec, Objective, Start
from workers.engine.ascent import cost, loop
from workers.engine.ascent.loop import ascend
from workers.engine.compiled_cache import CompiledCache
from workers.engine.graph import Graph

CHANNELS = Objective("channel", "conv2", (5, 0, 3))
EVERY_TRANSFORM = Transforms(pad=2, jitter=2, scale=0.1, rotate=10)


def spec_of(kind: str, **changes: object) -> AscentSpec:
    return fourier_spec(CHANNELS, **changes) if kind == "fourier" else pixel_spec(CHANNELS, **changes)


@pytest.mark.parametrize("kind", ["fourier", "pixel"])
def test_the_objective_rises(kind: str) -> None:
    state = run(lively(), spec_of(kind, steps=30, size=(17, 14)))
    assert state.values.shape == (3, 30)
    rises = np.diff(state.values, axis=1) > 0
    assert rises.mean() > 0.9
    assert np.all(state.values[:, -1] > state.values[:, 0] + 0.3)


@pytest.mark.parametrize("kind", ["fourier", "pixel"])
def test_values_are_the_models_own_at_the_images(kind: str) -> None:
    """The last image, given to the model, has the objective that one more step would have said."""
    model = lively()
    state = run(model, spec_of(kind, steps=4))
    longer = run(model, spec_of(kind, steps=5))
    x = state.images * 2 - 1 if kind == "fourier" else state.images
    maps = np.asarray(Graph(model).run(x, ["conv2"])["conv2"]).mean(axis=(1, 2))
    np.testing.assert_allclose(longer.values[:, 4], maps[np.arange(3), CHANNELS.indices], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(longer.values[:, :4], state.values, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["fourier", "pixel"])
def test_the_same_seed_gives_the_same_picture_and_another_seed_another(kind: str) -> None:
    model = lively()
    spec = spec_of(kind, transforms=EVERY_TRANSFORM)
    first = run(model, spec)
    np.testing.assert_array_equal(first.images, run(model, spec).images)
    assert np.abs(first.images - run(model, replace(spec, seed=4)).images).max() > 0.05


@pytest.mark.parametrize("kind", ["fourier", "pixel"])
@pytest.mark.parametrize("layer", ["conv2", "pool1"])
def test_a_batch_gives_what_its_images_give_alone(kind: str, layer: str) -> None:
    """In whatever chunks, and whether the channels asked for are computed alone (conv2) or with all others (pool1)."""
    model = lively()
    spec = replace(spec_of(kind, transforms=EVERY_TRANSFORM, regularisers=Regularisers(total_variation=0.3)))
    spec = replace(spec, objective=Objective("channel", layer, (5, 0, 3)))
    together = run(model, spec)
    for index, channel in enumerate(spec.objective.indices):
        alone = run(model, replace(spec, objective=Objective("channel", layer, (channel,))))
        np.testing.assert_allclose(alone.images[0], together.images[index], atol=1e-4)
        np.testing.assert_allclose(alone.values[0], together.values[index], atol=1e-4)


def test_chunks_give_what_one_call_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    model = lively()
    together = run(model, fourier_spec(CHANNELS))
    monkeypatch.setattr(cost, "MOST_IMAGES", 2)
    apart = run(model, fourier_spec(CHANNELS))
    np.testing.assert_allclose(apart.images, together.images, atol=1e-4)
    np.testing.assert_allclose(apart.values, together.values, atol=1e-4)


def test_one_trace_for_all_channels_batches_rates_and_weights() -> None:
    compiled = CompiledCache()
    model = lively()
    graph = Graph(model)

    def traces(spec: AscentSpec) -> int:
        finish(ascend(graph, TF_PREPROCESSING, spec, compiled))
        return compiled.traces

    spec = pixel_spec(CHANNELS, steps=3, transforms=EVERY_TRANSFORM, regularisers=Regularisers(l2=0.1, blur=1.0))
    assert traces(spec) == 1
    others = replace(spec, objective=Objective("channel", "conv2", (1,)), learning_rate=0.7, seed=9, steps=5, scale=(2.0, 3.0, 4.0))
    assert traces(others) == 1
    assert traces(replace(spec, regularisers=Regularisers(l2=3.0), transforms=Transforms(pad=2, jitter=1, rotate=5))) == 1
    assert traces(replace(spec, objective=Objective("channel", "conv1", (1,)))) == 2


def test_a_neuron_a_whole_layer_and_a_class_rise_too() -> None:
    model = lively()
    compiled = CompiledCache()
    for objective in (
        Objective("neuron", "conv2", (3,), (4, 2)),
        Objective("layer", "conv2"),
        Objective("class", indices=(4, 1)),
        Objective("class", indices=(4,), probability=True),
    ):
        state = run(model, fourier_spec(objective, steps=25, size=(18, 15)), compiled)
        assert state.images.shape == (max(1, len(objective.indices)), 18, 15, 3)
        assert np.all(state.values[:, -1] > state.values[:, 0]), objective


def test_a_neuron_is_excited_by_its_receptive_field_alone() -> None:
    """`conv1` at (6, 4) sees rows 5 to 7 and columns 3 to 5; other pixels stay where they started."""
    start = pixel_spec(Objective("neuron", "conv1", (2,), (6, 4)), steps=1)
    moved = run(lively(), replace(start, steps=4)).images - run(lively(), replace(start, learning_rate=0.0)).images
    outside = np.ones((13, 9), bool)
    outside[5:8, 3:6] = False
    assert np.abs(moved[0, outside]).max() < 1e-6
    assert np.abs(moved[0, 5:8, 3:6]).min() > 1e-3


def test_a_neuron_outside_the_map_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(InvalidParameters, match="y must be 0 to 3 and x 0 to 7, got 4 and 0"):
        run(lively(), fourier_spec(Objective("neuron", "conv2", (3,), (4, 0))))


def dead_channel() -> keras.Model:
    """Channel 1 of `conv` answers nothing at all, channel 2 is negative before its ReLU wherever ascent starts."""
    model = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(3, 3, activation="relu", name="conv")])
    model = seeded(model)
    kernel, bias = (np.array(weights) for weights in model.get_layer("conv").get_weights())
    kernel[..., 1] = 0
    bias[:] = 0.1, 0.5, -50
    model.get_layer("conv").set_weights([kernel, bias])
    return model


@pytest.mark.parametrize("regularisers", [Regularisers(), Regularisers(l2=1.0, total_variation=1.0)])
def test_dead_channels_are_told_from_live_ones_whatever_the_penalties_do(regularisers: Regularisers) -> None:
    state = run(dead_channel(), fourier_spec(Objective("channel", "conv", (0, 1, 2)), regularisers=regularisers))
    assert state.gradient_seen.tolist() == [True, False, False]
    assert state.values[1:, -1] == pytest.approx([0.5, 0.0])


def test_a_target_that_the_input_does_not_reach_has_no_gradient() -> None:
    photo = keras.Input((13, 9, 3), name="photo")
    rounded = layers.Lambda(lambda x: tf.cast(x > 0, tf.float32), name="step")(photo)
    model = seeded(keras.Model(photo, layers.Conv2D(4, 3, name="conv")(rounded)))
    with pytest.raises(NoGradient, match="'conv' has no gradient"):
        run(model, fourier_spec(Objective("channel", "conv", (0,))))


def test_numbers_that_are_not_finite_are_said_with_their_step() -> None:
    photo = keras.Input((None, None, 3), name="photo")
    model = keras.Model(photo, layers.Activation(keras.ops.exp, name="exp")(photo))
    with pytest.raises(NonFinite, match=r"step 2 of 6 \(float32\)"):
        run(model, pixel_spec(Objective("channel", "exp", (0,)), learning_rate=200.0))


def test_an_unknown_layer_is_named() -> None:
    with pytest.raises(UnknownLayer, match="conv1"):
        run(lively(), fourier_spec(Objective("channel", "conv_1", (0,))))


def test_a_size_that_a_dense_head_forbids_is_refused_with_the_one_allowed() -> None:
    model = ZOO["functional"]()
    with pytest.raises(InvalidParameters, match="own input size, 13×9"):
        run(model, fourier_spec(Objective("class", indices=(1,)), size=(16, 16)))
    assert run(model, fourier_spec(Objective("class", indices=(1,)))).images.shape == (1, 13, 9, 3)
    assert run(model, fourier_spec(CHANNELS, size=(16, 21))).images.shape == (3, 16, 21, 3)


@pytest.mark.parametrize("name", ["nested", "grey", "mixed_bfloat16", "two_inputs", "shared_model", "batch_norm"])
def test_every_kind_of_model_can_be_ascended_in(name: str) -> None:
    layer = {"nested": "base/conv2", "shared_model": "base/conv2", "batch_norm": "bn2"}.get(name, "conv2")
    state = run(ZOO[name](), fourier_spec(Objective("channel", layer, (0, 1, 2, 3)), steps=20, start=Start("normal", sigma=0.3)))
    assert state.images.shape == (4, 13, 9, 1 if name == "grey" else 3)
    alive = state.gradient_seen
    assert alive.any()
    assert np.all(state.values[alive, -1] > state.values[alive, 0])


def test_bfloat16_stays_near_float32() -> None:
    model = lively()
    exact, half = (run(model, fourier_spec(CHANNELS, precision=precision, steps=3)) for precision in ("float32", "bfloat16"))
    assert np.any(exact.values != half.values)
    np.testing.assert_allclose(half.values, exact.values, rtol=0.05, atol=0.02)


def test_blur_smooths_after_every_fourth_step() -> None:
    model = lively()
    sharp = pixel_spec(CHANNELS, steps=3)
    for steps, differs in ((3, False), (4, True)):
        plain = run(model, replace(sharp, steps=steps)).images
        blurred = run(model, replace(sharp, steps=steps, regularisers=Regularisers(blur=1.5))).images
        assert (np.abs(plain - blurred).max() > 1e-3) == differs
    assert np.abs(np.diff(blurred, axis=1)).mean() < 0.5 * np.abs(np.diff(plain, axis=1)).mean()


def test_a_penalty_is_taken_off_the_gradient_and_not_off_the_values() -> None:
    """One plain step: with l2 of weight w the image moves less by rate · w · 2(x − grey)/(H·W·C), and grey is 0 to this model."""
    model = lively()
    spec = pixel_spec(CHANNELS, steps=1, gradient_norm="none", learning_rate=2.0, start=Start("uniform", 0.5, 1.0))
    free, pulled = run(model, spec), run(model, replace(spec, regularisers=Regularisers(l2=10.0)))
    start = run(model, replace(spec, learning_rate=0.0)).images
    np.testing.assert_allclose(pulled.images, free.images - 2 * 10 * 2 * start / (13 * 9 * 3), atol=1e-5)
    np.testing.assert_array_equal(pulled.values, free.values)


def test_the_model_sees_pixels_in_the_units_asked_for() -> None:
    """A start in 0-255 seen as x/127.5 − 1 is the same ascent as one in −1 to 1 with a step 127.5 times smaller."""
    model = lively()
    small = pixel_spec(CHANNELS, start=Start("uniform", -1, 1), learning_rate=0.2, gradient_norm="l2")
    large = replace(small, start=Start("uniform", 0.0, 255.0), learning_rate=0.2 * 127.5, scale=(1 / 127.5,), offset=(-1.0,))
    got, expected = run(model, large).images, run(model, small).images
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert np.abs(expected).max() <= 1.5


def test_every_slice_holds_whole_steps_and_the_images_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    last, yielded = finish(ascend(Graph(lively()), TF_PREPROCESSING, fourier_spec(CHANNELS), CompiledCache()))
    assert [state.step for state in yielded] == [1, 2, 3, 4, 5]
    assert last.step == last.total == 6
    for state in yielded:
        assert state.values.shape == (3, state.step)
        np.testing.assert_array_equal(state.values, last.values[:, : state.step])
        assert state.images.shape == last.images.shape
    assert 0 <= last.images.min() < last.images.max() <= 1


def test_the_state_after_every_step_to_be_shown_is_yielded_and_moves_nothing() -> None:
    last, yielded = finish(ascend(Graph(lively()), TF_PREPROCESSING, fourier_spec(CHANNELS, show=(1, 4)), CompiledCache()))
    assert [state.step for state in yielded if state.step in (1, 4)] == [1, 4]
    plain = run(lively(), fourier_spec(CHANNELS))
    np.testing.assert_array_equal(last.images, plain.images)
    start = run(lively(), fourier_spec(CHANNELS, steps=1, learning_rate=1e-9)).images
    np.testing.assert_allclose(next(state.images for state in yielded if state.step == 1), start, atol=1e-6)


def test_a_step_longer_than_a_slice_is_broken_between_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(cost, "MOST_IMAGES", 2)
    last, yielded = finish(ascend(Graph(lively()), TF_PREPROCESSING, fourier_spec(CHANNELS, steps=3), CompiledCache()))
    assert [state.step for state in yielded] == [0, 1, 1, 2, 2]
    assert last.step == 3


class Scarce(CompiledCache):
    """Compiled steps that find no memory for more than `most` images."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.refused = most, 0

    def get(self, key, build):
        function = super().get(key, build)
        scarce = self

        class Step:
            get_concrete_function = staticmethod(function.get_concrete_function)

            def __call__(self, point, *rest):
                if point.variable.shape[0] > scarce.most:
                    scarce.refused += 1
                    raise tf.errors.ResourceExhaustedError(None, None, "no memory")
                return function(point, *rest)

        return Step()


def test_a_call_that_finds_no_memory_is_halved_twice_and_then_fails() -> None:
    model = lively()
    spec = fourier_spec(Objective("channel", "conv2", (5, 0, 3, 1, 2, 4, 6, 7)))
    plenty = run(model, spec)
    scarce = Scarce(2)
    halved = run(model, spec, scarce)
    assert scarce.refused == 3
    np.testing.assert_allclose(halved.images, plenty.images, atol=1e-5)
    np.testing.assert_allclose(halved.values, plenty.values, atol=1e-5)
    with pytest.raises(tf.errors.ResourceExhaustedError):
        run(model, spec, Scarce(1))
