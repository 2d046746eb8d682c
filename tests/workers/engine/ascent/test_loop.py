from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from tests.workers.engine.ascent.support import fourier_spec, lively, pixel_spec, run
from tests.zoo import ZOO, seeded
from workers.contract.synthesis import AscentSpec, Objective, Start
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
    """The model, called on the last images, gives the objective that one more step reports."""
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
    """`conv1` at (6, 4) sees rows 5 to 7 and columns 3 to 5; the other pixels stay as they started."""
    start = pixel_spec(Objective("neuron", "conv1", (2,), (6, 4)), steps=1)
    moved = run(lively(), replace(start, steps=4)).images - run(lively(), replace(start, learning_rate=0.0)).images
    outside = np.ones((13, 9), bool)
    outside[5:8, 3:6] = False
    assert np.abs(moved[0, outside]).max() < 1e-6
    assert np.abs(moved[0, 5:8, 3:6]).min() > 1e-3


def dead_channel() -> keras.Model:
    """Return a model whose channel 1 of `conv` is always 0, and whose channel 2 is negative before its ReLU at every start."""
    model = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(3, 3, activation="relu", name="conv")])
    model = seeded(model)
    kernel, bias = (np.array(weights) for weights in model.get_layer("conv").get_weights())
    kernel[..., 1] = 0
    bias[:] = 0.1, 0.5, -50
    model.get_layer("conv").set_weights([kernel, bias])
    return model


@pytest.mark.parametrize("regularisers", [Regularisers(), Regularisers(l2=1.0, total_variation=1.0)])
def test_dead_channels_are_recognised_with_and_without_penalties(regularisers: Regularisers) -> None:
    state = run(dead_channel(), fourier_spec(Objective("channel", "conv", (0, 1, 2)), regularisers=regularisers))
    assert state.gradient_seen.tolist() == [True, False, False]
    assert state.values[1:, -1] == pytest.approx([0.5, 0.0])


@pytest.mark.parametrize("name", ["nested", "grey", "mixed_bfloat16", "two_inputs", "shared_model", "batch_norm"])
def test_every_kind_of_model_can_be_used_for_ascent(name: str) -> None:
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


def test_a_penalty_changes_the_gradient_and_not_the_values() -> None:
    """In one plain step with an l2 penalty of weight w, the image moves less by rate · w · 2(x − grey)/(H·W·C); here grey is 0."""
    model = lively()
    spec = pixel_spec(CHANNELS, steps=1, gradient_norm="none", learning_rate=2.0, start=Start("uniform", 0.5, 1.0))
    free, pulled = run(model, spec), run(model, replace(spec, regularisers=Regularisers(l2=10.0)))
    start = run(model, replace(spec, learning_rate=0.0)).images
    np.testing.assert_allclose(pulled.images, free.images - 2 * 10 * 2 * start / (13 * 9 * 3), atol=1e-5)
    np.testing.assert_array_equal(pulled.values, free.values)


def test_the_model_sees_pixels_in_the_units_asked_for() -> None:
    """An ascent in 0-255 that the model sees as x/127.5 − 1 equals one in −1 to 1 with a step 127.5 times smaller."""
    model = lively()
    small = pixel_spec(CHANNELS, start=Start("uniform", -1, 1), learning_rate=0.2, gradient_norm="l2")
    large = replace(small, start=Start("uniform", 0.0, 255.0), learning_rate=0.2 * 127.5, scale=(1 / 127.5,), offset=(-1.0,))
    got, expected = run(model, large).images, run(model, small).images
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert np.abs(expected).max() <= 1.5
