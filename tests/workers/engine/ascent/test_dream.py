from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import InvalidParameters, NoGradient, NonFinite, UnknownLayer
from tests.workers.engine.ascent.support import lively
from tests.workers.engine.support import probe_of, relative_difference, zoo_probe
from tests.zoo import ZOO
from workers.contract.synthesis import DreamSpec, DreamState
from workers.engine.ascent import dream as dreaming
from workers.engine.ascent.dream_step import dream_loss
from workers.engine.probe import KerasProbe

SHAPES = ((13, 18), (19, 26), (27, 37))


def photo(height: int = 27, width: int = 37, channels: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (height, width, channels)).astype(np.float32)


def spec_of(**changes: object) -> DreamSpec:
    spec = DreamSpec(image=photo(), layers=(("conv1", 0.5), ("conv2", 1.5)), shapes=SHAPES, steps=7, step_size=0.02)
    return replace(spec, **changes)


def finished(probe: KerasProbe, spec: DreamSpec) -> DreamState:
    return slices(probe, spec)[-1]


def slices(probe: KerasProbe, spec: DreamSpec) -> list[DreamState]:
    """Return all states of a dream: those that it yields and, last, the one that it returns."""
    run, states = probe.dream(spec), []
    while True:
        try:
            states.append(next(run))
        except StopIteration as stop:
            return [*states, stop.value]


def published_loop(model: keras.Model, spec: DreamSpec) -> tuple[np.ndarray, list[list[float]]]:
    """Return the image and the losses of each octave by the code of keras.io/examples/generative/deep_dream."""
    features = keras.Model(model.inputs, [model.get_layer(path).output for path, _ in spec.layers])
    original = tf.constant(spec.image[None])
    shrunk, image, losses = tf.image.resize(original, spec.shapes[0]), original, []
    for shape in spec.shapes:
        image = tf.image.resize(image, shape)
        losses.append([])
        for _ in range(spec.steps):
            with tf.GradientTape() as tape:
                tape.watch(image)
                loss = tf.zeros(())
                for (_, coefficient), activation in zip(spec.layers, features(image), strict=True):
                    loss += coefficient * tf.reduce_sum(activation[:, 2:-2, 2:-2, :] ** 2) / tf.cast(tf.size(activation), tf.float32)
            gradient = tape.gradient(loss, image)
            image = image + spec.step_size * gradient / tf.maximum(tf.reduce_mean(tf.abs(gradient)), 1e-6)
            losses[-1].append(float(loss))
            if spec.max_loss is not None and loss > spec.max_loss:
                break
        image = image + tf.image.resize(original, shape) - tf.image.resize(shrunk, shape)
        shrunk = tf.image.resize(original, shape)
    return image[0].numpy(), losses


@pytest.mark.parametrize("share", [None, 0.5])
def test_it_equals_the_published_loop(share: float | None) -> None:
    """Without a `max_loss`, and with one that ends the octaves at half of the loss that they would reach."""
    model = lively()
    spec = spec_of(image=photo(55, 75), shapes=((28, 38), (39, 53), (55, 75)))
    _, full = published_loop(model, spec)
    spec = replace(spec, max_loss=None if share is None else full[1][0] + share * (full[1][-1] - full[1][0]))
    expected, losses = published_loop(model, spec)
    state = finished(probe_of(model), spec)
    assert [len(octave) for octave in state.losses] == [len(octave) for octave in losses]
    assert (share is None) == all(len(octave) == 7 for octave in losses)
    for got, wanted in zip(state.losses, losses, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4)
    assert relative_difference(state.image, expected) < 1e-4


def test_the_loss_is_worked_by_hand() -> None:
    """In a map of 5 × 7, 1 × 3 positions are inside a border of 2. In one of 1 × 2 nothing would be left, so its border is 0."""
    large = np.full((1, 5, 7, 2), 100, np.float32)
    large[0, 2, 2:5] = [[1, 2], [0, 3], [-2, 0]]  # the squares sum to 18, and there are 70 values
    small = np.array([[[[1.0], [3.0]]]], np.float32)  # the squares sum to 10, and there are 2 values
    got = dream_loss([tf.constant(large), tf.constant(small)], tf.constant([0.5, -2.0]))
    assert float(got) == pytest.approx(0.5 * 18 / 70 - 2 * 10 / 2)


def test_a_step_is_worked_by_hand() -> None:
    """The model sees 3x + 1 and its layer doubles this, so the loss is the mean of (6x + 2)², and the gradient is along 6x + 2."""
    image = keras.Input((None, None, 1), name="photo")
    model = keras.Model(image, layers.Conv2D(1, 1, use_bias=False, name="double")(image))
    model.set_weights([np.full((1, 1, 1, 1), 2, np.float32)])
    x = np.array([[[0.0], [1.0]]], np.float32)  # 6x + 2 is 2 and 8, on average 5
    spec = DreamSpec(image=x, layers=(("double", 1.0),), shapes=((1, 2),), steps=1, step_size=0.5, scale=(3.0,), offset=(1.0,))
    state = finished(probe_of(model), spec)
    assert state.losses == ((pytest.approx(34.0),),)
    np.testing.assert_allclose(state.image[..., 0], [[0.5 * 2 / 5, 1 + 0.5 * 8 / 5]], rtol=1e-6)
    assert state.gradient_seen


def test_the_loss_rises_and_a_negative_weight_makes_it_fall() -> None:
    probe = probe_of(lively())
    for octave in finished(probe, spec_of(steps=12)).losses:
        assert octave[-1] > 1.1 * octave[0]
    calm = finished(probe, spec_of(steps=12, layers=(("conv2", -1.0),)))
    assert all(octave[-1] > octave[0] for octave in calm.losses)  # the loss is the negative energy, so it rises too
    assert calm.losses[0][0] < 0


def test_detail_lost_between_octaves_is_put_back() -> None:
    """With steps of length 0 the dream is the photo."""
    state = finished(probe_of(lively()), spec_of(step_size=0.0))
    octave = tf.image.resize(photo()[None], SHAPES[0])[0].numpy()
    blurred = tf.image.resize(octave[None], SHAPES[-1])[0].numpy()
    assert np.abs(blurred - photo()).max() > 0.5
    np.testing.assert_allclose(state.image, photo(), atol=1e-5)


def test_the_seed_is_of_the_jitter_alone() -> None:
    probe = probe_of(lively())
    jittered = finished(probe, spec_of(jitter=3, seed=1)).image
    np.testing.assert_array_equal(jittered, finished(probe, spec_of(jitter=3, seed=1)).image)
    assert np.abs(jittered - finished(probe, spec_of(jitter=3, seed=2)).image).max() > 0.01
    np.testing.assert_array_equal(finished(probe, spec_of(seed=1)).image, finished(probe, spec_of(seed=2)).image)


def test_jitter_leaves_the_image_where_it_was() -> None:
    state = finished(probe_of(lively()), spec_of(jitter=9, step_size=1e-4))
    np.testing.assert_allclose(state.image, photo(), atol=0.02)


def test_one_compiled_step_serves_all_sizes_weights_and_photos() -> None:
    probe = probe_of(lively())
    finished(probe, spec_of())
    traces = probe.traces
    other = photo(16, 21, seed=4)
    finished(probe, spec_of(image=other, shapes=((16, 21),), layers=(("conv1", 9.0), ("conv2", -1.0)), max_loss=3.0, jitter=2))
    assert probe.traces == traces == 1


def test_slices_count_up_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dreaming, "SLICE_SECONDS", 0.0)
    states = slices(probe_of(lively()), spec_of(steps=3))
    assert [state.step for state in states] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 9]
    assert {state.total for state in states} == {9}
    assert [len(state.losses) for state in states] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 3]
    assert [state.image.shape[:2] for state in states[:9:3]] == list(SHAPES)


@pytest.mark.parametrize(
    ("name", "layer"), [("nested", "base/conv2"), ("shared_layer", "shared"), ("two_inputs", "conv2"), ("mixed_float16", "conv2")]
)
def test_any_kind_of_model_at_sizes_it_does_not_declare(name: str, layer: str) -> None:
    state = finished(zoo_probe(name), spec_of(layers=((layer, 1.0),), steps=5))
    assert state.image.shape == (27, 37, 3)
    assert all(octave[-1] > octave[0] for octave in state.losses)


def test_grey_models_and_bfloat16() -> None:
    grey = spec_of(image=photo(channels=1))
    probe = zoo_probe("grey")
    exact, coarse = finished(probe, grey), finished(probe, replace(grey, precision="bfloat16"))
    assert exact.image.shape == (27, 37, 1)
    assert coarse.losses[0][0] == pytest.approx(exact.losses[0][0], rel=0.05)
    assert coarse.losses[0][0] != exact.losses[0][0]


def test_a_dead_layer_changes_nothing_and_is_reported() -> None:
    model = ZOO["any_size"]()
    kernel, bias = model.get_layer("conv1").get_weights()
    model.get_layer("conv1").set_weights([kernel * 0, bias * 0 - 1])
    state = finished(probe_of(model), spec_of(layers=(("conv1", 1.0),)))
    assert not state.gradient_seen
    np.testing.assert_allclose(state.image, photo(), atol=1e-5)


def test_dreams_that_cannot_be_computed_are_refused_with_a_reason() -> None:
    probe = zoo_probe("any_size")
    with pytest.raises(InvalidParameters, match=r"Octave 1 of 2 is 3×2: not all of conv2") as error:
        finished(probe, spec_of(shapes=((3, 2), (27, 37)), layers=(("conv2", 1.0),)))
    assert error.value.pointer == "/params/octaves"
    with pytest.raises(UnknownLayer):
        finished(probe, spec_of(layers=(("conv7", 1.0),)))
    with pytest.raises(NonFinite, match="step 2 of 7 of octave 1"):
        finished(probe, spec_of(step_size=1e30))
    photos, others = keras.Input((None, None, 3), name="photo"), keras.Input((None, None, 3), name="other")
    aside = layers.Conv2D(2, 1, name="aside")(others)
    model = keras.Model([photos, others], layers.Concatenate(name="both")([photos, aside]))
    with pytest.raises(NoGradient, match="None of the layers aside depends on the input"):
        finished(probe_of(model), spec_of(layers=(("aside", 1.0),)))
