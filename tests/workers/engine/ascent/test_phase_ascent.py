"""Ascent in the phases of a spectrum, with random crops of the image and with noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from schemas.errors import InvalidParameters
from schemas.methods.synthesis.transforms import Transforms
from schemas.models import Preprocessing
from tests.workers.engine.ascent.support import ascent, finish, fourier_spec, lively, run
from tests.zoo import ZOO, seeded
from workers.contract.synthesis import AscentSpec, Objective, Start, Term
from workers.engine.ascent import cost
from workers.engine.ascent.natural_spectrum import magnitudes
from workers.engine.ascent.parametrisations import colour_matrix
from workers.engine.compiled_cache import CompiledCache
from workers.engine.graph import Graph

CHANNELS = Objective("channel", "conv2", (5, 0, 3))
CROPS = Transforms(crop=(0.4, 0.9), view=16, noise=0.05)


def phase_spec(objective: Objective = CHANNELS, **changes: Any) -> AscentSpec:
    phase: dict[str, Any] = {"parametrisation": "phase", "start": Start("uniform", -np.pi, np.pi), "learning_rate": 0.2}
    return fourier_spec(objective, **{**phase, **changes})


@pytest.mark.parametrize("transforms", [Transforms(), CROPS])
@pytest.mark.parametrize("size", [(13, 9), (12, 16)])
def test_magnitudes_stay_and_phases_move(size: tuple[int, int], transforms: Transforms) -> None:
    model, spec = lively(), phase_spec(size=size, transforms=transforms)
    for steps in (1, 20):
        images = run(model, replace(spec, steps=steps)).images.astype(float)
        planes = np.einsum("nhwc,kc->nkhw", np.log(images / (1 - images)), np.linalg.inv(colour_matrix().astype(float)))
        magnitude = magnitudes(size, 3)
        expected = np.broadcast_to(magnitude, (3, *magnitude.shape))
        np.testing.assert_allclose(np.abs(np.fft.rfft2(planes)), expected, atol=2e-3 * magnitude.max())
    first = run(model, replace(spec, steps=1)).images
    assert np.abs(images - first).mean() > 0.05


def test_the_objective_rises() -> None:
    plain = run(lively(), phase_spec(steps=30, size=(17, 14)))
    assert (np.diff(plain.values, axis=1) > 0).mean() > 0.9
    cropped = run(lively(), phase_spec(steps=60, size=(24, 20), transforms=CROPS))
    assert np.all(cropped.values[:, -15:].mean(axis=1) > cropped.values[:, :15].mean(axis=1) + 0.05)


@pytest.mark.parametrize("transforms", [Transforms(), CROPS, Transforms(pad=2, jitter=2, scale=0.1, rotate=10, crop=(0.5, 1.0))])
def test_a_batch_gives_what_its_images_give_alone(transforms: Transforms, monkeypatch: pytest.MonkeyPatch) -> None:
    model, spec, compiled = lively(), phase_spec(transforms=transforms), CompiledCache()
    together = run(model, spec, compiled)
    for number, index in enumerate(CHANNELS.indices):
        alone = run(model, replace(spec, objective=replace(CHANNELS, indices=(index,))), compiled)
        np.testing.assert_allclose(alone.images[0], together.images[number], atol=2e-4)
        np.testing.assert_allclose(alone.values[0], together.values[number], rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(cost, "images_per_call", lambda *_: 2)
    np.testing.assert_allclose(run(model, spec, compiled).images, together.images, atol=2e-4)


def test_the_same_seed_gives_the_same_picture_and_another_seed_another() -> None:
    model, spec = lively(), phase_spec(transforms=CROPS)
    first = run(model, spec).images
    np.testing.assert_array_equal(first, run(model, spec).images)
    assert np.abs(first - run(model, replace(spec, seed=4)).images).max() > 0.05


@pytest.mark.parametrize("parametrisation", ["pixel", "fourier", "phase"])
def test_noise_reaches_the_model_with_and_without_other_transforms(parametrisation: str) -> None:
    start = Start("uniform", -0.5, 0.5)
    spec = phase_spec(steps=1, size=(40, 30), parametrisation=parametrisation, start=start)
    quiet, noisy = (run(lively(), replace(spec, transforms=Transforms(noise=noise))).values for noise in (0.0, 0.3))
    assert 0.005 < np.abs(quiet - noisy).max() < 1


def test_noise_is_scaled_by_the_range_of_the_models_input() -> None:
    """A model with the same weights and another preprocessing sees the same image and the same noise."""
    model, spec = lively(), phase_spec(steps=1, objective=Objective("channel", "conv1", (1, 4)), transforms=Transforms(noise=0.2))
    wide = lively()
    kernel, bias = wide.get_layer("conv1").get_weights()
    wide.get_layer("conv1").set_weights([kernel / 127.5, bias])
    around_zero = Preprocessing(mean=(127.5,) * 3, std=(1.0,) * 3, mode="custom")
    values = finish(ascent(Graph(wide), around_zero, spec, CompiledCache()))[0].values
    np.testing.assert_allclose(values, run(model, spec).values, rtol=1e-4)


def test_a_crop_of_the_whole_image_changes_nothing() -> None:
    model, spec = lively(), phase_spec()
    whole = Transforms(crop=(1.0, 1.0))
    np.testing.assert_allclose(run(model, replace(spec, transforms=whole)).images, run(model, spec).images, atol=1e-3)


def test_the_position_of_a_neuron_refers_to_the_crop() -> None:
    neuron = Objective("neuron", "conv1", (1,), (14, 15))
    assert run(lively(), phase_spec(neuron, transforms=CROPS)).gradient_seen.all()
    with pytest.raises(InvalidParameters, match="has a map of 13×9 for an image of 13×9"):
        run(lively(), phase_spec(neuron))


def test_classes_sums_and_diverse_images_see_crops_too() -> None:
    terms = (Term("channel", 2, 1.0, "conv2"), Term("class", 3, 0.5))
    for objective, count in (
        (Objective("class", indices=(3, 1)), 2),
        (Objective("sum", indices=(), terms=terms), 1),
        (Objective("channel", "conv2", (3, 3), diversity=0.1), 2),
        (Objective("layer", "conv2"), 1),
    ):
        state = run(lively(), phase_spec(objective, steps=60, size=(20, 20), transforms=CROPS))
        assert state.images.shape == (count, 20, 20, 3)
        assert np.all(state.values[:, -20:].mean(axis=1) > state.values[:, :20].mean(axis=1)), objective


def test_a_bgr_model_is_shown_true_colours() -> None:
    """An image that excites a channel which responds to red alone is red, in RGB and in BGR models."""
    for order, red in (("rgb", 0), ("bgr", 2)):
        model = lively()
        kernel, bias = model.get_layer("conv1").get_weights()
        kernel[...] = 0
        kernel[:, :, red, 0] = 0.1
        model.get_layer("conv1").set_weights([kernel, bias])
        preprocessing = Preprocessing(order=order, mean=(127.5,) * 3, std=(127.5,) * 3, mode="custom")
        neuron = Objective("neuron", "conv1", (0,), (8, 8))
        spec = phase_spec(neuron, size=(16, 16), steps=60)
        image = finish(ascent(Graph(model), preprocessing, spec, CompiledCache()))[0].images[0]
        around = image[7:10, 7:10].mean(axis=(0, 1))
        assert around[0] > 0.75
        assert around[0] > max(around[1:]) + 0.01


def test_bfloat16_stays_near_float32() -> None:
    spec = phase_spec(steps=20, size=(24, 24), transforms=CROPS)
    exact, rough = run(lively(), spec), run(lively(), replace(spec, precision="bfloat16"))
    np.testing.assert_allclose(rough.values[:, -5:].mean(axis=1), exact.values[:, -5:].mean(axis=1), rtol=0.05)


@pytest.mark.parametrize("name", ["nested", "grey", "mixed_bfloat16", "two_inputs"])
def test_every_kind_of_model_can_be_used_for_ascent(name: str) -> None:
    layer = "base/conv2" if name == "nested" else "conv2"
    state = run(ZOO[name](), phase_spec(Objective("channel", layer, (0, 1, 2, 3)), steps=20))
    assert state.images.shape == (4, 13, 9, 1 if name == "grey" else 3)
    alive = state.gradient_seen
    assert alive.any()
    assert np.all(state.values[alive, -1] > state.values[alive, 0])


def test_a_head_of_fixed_size_sees_a_crop_of_that_size() -> None:
    """The model must be square; the image may then have any size."""
    photo = keras.Input((16, 16, 3))
    x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3, activation="relu")(photo))
    model = seeded(keras.Model(photo, keras.layers.Dense(5, activation="softmax")(x)))
    spec = phase_spec(Objective("class", indices=(2,)), size=(30, 20), transforms=Transforms(crop=(0.5, 0.9), view=16))
    assert run(model, spec).images.shape == (1, 30, 20, 3)
    with pytest.raises(InvalidParameters, match="image of 20×20: a layer before it needs the model's own input size, 16×16"):
        run(model, replace(spec, transforms=Transforms(crop=(0.5, 0.9), view=20)))
