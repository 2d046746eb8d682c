"""Gradient methods on small Keras models, compared with another way to compute the result."""

from __future__ import annotations

from typing import Any

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from catalog.entry import CatalogEntry
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.models import Preprocessing
from tests.workers.methods.linear import driven
from tests.workers.methods.support import photo_of
from tests.zoo import ZOO, photo_batch, seeded
from workers.contract.inputs import Inputs
from workers.engine.probe import KerasProbe
from workers.methods import implementation
from workers.methods.gradients import grad_x_input, guided_grad_cam, integrated_gradients, saliency, smooth_grad
from workers.methods.gradients.path_baselines import path_baseline
from workers.models.description.describe import describe


def probe_of(model: keras.Model) -> KerasProbe:
    entry = CatalogEntry(
        name="tried",
        source="file",
        title="tried",
        architecture=None,
        file=None,
        weights=None,
        input_size=None,
        preprocessing=Preprocessing.named("tf"),
        labels=None,
        default_layer=None,
        digest="0",
    )
    return KerasProbe(model, describe(model, entry))


def resolved(probe: KerasProbe, method: str, **params: Any) -> Any:
    return METHODS[method].model_validate(params).resolve(probe.published, MethodLimits())


def linear() -> keras.Model:
    photo = keras.Input((5, 4, 3), name="photo")
    x = layers.Conv2D(4, 2, name="conv")(photo)
    x = layers.Flatten(name="flat")(layers.AveragePooling2D(2, name="mean")(x))
    return seeded(keras.Model(photo, layers.Dense(3, name="scores")(x)))


def smooth() -> keras.Model:
    photo = keras.Input((7, 5, 3), name="photo")
    x = layers.Conv2D(6, 3, padding="same", activation="tanh", name="conv1")(photo)
    x = layers.Conv2D(5, (3, 2), activation="softplus", name="conv2")(x)
    return seeded(keras.Model(photo, layers.Dense(4, activation="softmax", name="scores")(layers.Flatten(name="flat")(x))))


def test_integrated_gradients_of_a_linear_model_are_exact_in_one_step() -> None:
    probe = probe_of(linear())
    x = photo_batch(probe.graph.model, 1)
    _, found = driven(integrated_gradients.run(probe, Inputs(x), resolved(probe, "integrated_gradients", class_index=(0, 1, 2), steps=1)))
    start = path_baseline("black", x[0], Preprocessing.named("tf"), 0)
    np.testing.assert_allclose(start, -1)
    difference = (probe.graph.model(x) - probe.graph.model(start[None])).numpy()[0]
    np.testing.assert_allclose(found.attributed, difference, rtol=1e-5)
    assert (found.errors < 1e-5).all()
    for at in range(3):
        gradient = saliency.run(probe, Inputs(x), [resolved(probe, "saliency", class_index=at)])[0].values[0]
        np.testing.assert_allclose(found.attribution.values[at], gradient * (x[0] - start), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("score", ["logit", "probability"])
@pytest.mark.parametrize("baseline", ["black", "white", "mean", "blurred", "random"])
def test_integrated_gradients_add_up_on_a_smooth_model(score: str, baseline: str) -> None:
    probe = probe_of(smooth())
    x = photo_batch(probe.graph.model, 1)
    params = resolved(probe, "integrated_gradients", class_index=(0, 3), score=score, baseline=baseline)
    _, found = driven(integrated_gradients.run(probe, Inputs(x), params))
    assert (found.errors <= 1e-4).all()
    assert (np.abs(found.difference) > 1e-4).all()
    np.testing.assert_allclose(found.attribution.values.sum((1, 2, 3)), found.attributed, rtol=1e-4)


def test_the_error_of_the_trapezoid_rule_falls_with_more_steps() -> None:
    probe = probe_of(smooth())
    x = photo_batch(probe.graph.model, 1)

    def error(steps: int) -> float:
        params = resolved(probe, "integrated_gradients", class_index=1, steps=steps, rule="trapezoid")
        return float(driven(integrated_gradients.run(probe, Inputs(x), params))[1].errors[0])

    coarse, fine = error(5), error(65)
    assert 0 < fine < coarse / 50  # the error falls with the square of the step: 16² = 256
    assert coarse < 0.2


def test_the_map_of_the_negative_answer_has_the_opposite_sign() -> None:
    probe = probe_of(ZOO["binary"]())
    x = photo_batch(probe.graph.model, 1)
    for method in ("integrated_gradients", "smooth_grad"):
        run = implementation(method).run
        both = [driven(run(probe, Inputs(x), resolved(probe, method, class_index=answer)))[1] for answer in (1, 0)]
        one, other = (getattr(found, "attribution", found).values for found in both)
        np.testing.assert_allclose(one, -other, atol=1e-6)
        assert np.abs(one).max() > 0
    found = driven(integrated_gradients.run(probe, Inputs(x), resolved(probe, "integrated_gradients", sign=-1, score="probability")))[1]
    start = np.full_like(x, -1)
    assert found.difference[0] == pytest.approx(float((probe.graph.model(start) - probe.graph.model(x))[0, 0]), abs=1e-6)


def test_smooth_grad_against_the_gradient_tape() -> None:
    probe = probe_of(ZOO["functional"]())
    model = probe.graph.model
    x = photo_batch(model, 1)
    params = resolved(probe, "smooth_grad", class_index=2, samples=7, noise=0.3, seed=1, score="probability")
    _, found = driven(smooth_grad.run(probe, Inputs(x), params))
    with tf.GradientTape() as tape:
        noisy = tf.constant(smooth_grad.noisy_copies(x[0], slice(0, 7), 0.3, 1))
        tape.watch(noisy)
        score = model(noisy)[:, 2]
    expected = tape.gradient(score, noisy).numpy().mean(0)
    np.testing.assert_allclose(found.values[0], expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
    assert probe.traces == 2  # one for the scores of the image, one for the gradients of its copies


def test_gradient_times_input_of_a_linear_model_without_biases_is_the_logit() -> None:
    model = linear()
    for name in ("conv", "scores"):
        model.get_layer(name).bias.assign(tf.zeros_like(model.get_layer(name).bias))
    probe = probe_of(model)
    x = photo_batch(model, 2)
    for row, found in enumerate(grad_x_input.run(probe, Inputs(x), [resolved(probe, "grad_x_input", class_index=(0, 2))] * 2)):
        np.testing.assert_allclose(found.maps.sum((1, 2)), model(x).numpy()[row, [0, 2]], rtol=1e-4)


def test_guided_grad_cam_is_guided_backpropagation_times_grad_cam() -> None:
    probe = probe_of(ZOO["nested"]())
    x = photo_batch(probe.graph.model, 2)
    params = [resolved(probe, "guided_grad_cam", class_index=(1, 4)), resolved(probe, "guided_grad_cam")]
    assert params[0].layer == "base/conv2"
    first, second = guided_grad_cam.run(probe, Inputs(x), params)
    for found, image, classes in ((first, x[:1], (1, 4)), (second, x[1:], (int(probe.graph.model(x)[1].numpy().argmax()),))):
        assert tuple(scored.class_index for scored in found.classes) == classes
        for at, c in enumerate(classes):
            index = np.array([c], np.int32)
            guided = probe.input_gradients(image, index, relu_rule="guided").gradients[0]
            looked = probe.gradients(image, "base/conv2", index)
            cam = np.maximum((looked.activations[0] * looked.gradients[0].mean((0, 1))).sum(-1), 0)
            # The pooling takes two rows together, and the kernel of 3 x 2 without padding leaves out 2 rows and half a column at the
            # border. So the 4 x 8 cells lie over rows 2-9 and columns 0.5-8.5, and a column is halfway between two cells.
            rows = np.pad(cv2.resize(cam, (8, 8), interpolation=cv2.INTER_LINEAR), ((2, 3), (1, 1)), mode="edge")
            expected = guided * ((rows[:, 1:] + rows[:, :-1]) / 2)[..., None]
            np.testing.assert_allclose(found.values[at], expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())
            np.testing.assert_allclose(found.maps[at], np.abs(found.values[at]).max(-1))


def test_a_class_without_gradient_gives_a_warning() -> None:
    model = ZOO["functional"]()
    model.get_layer("conv2").bias.assign(np.full(8, -100, "float32"))
    probe = probe_of(model)
    x = photo_batch(model, 1)
    for method in ("saliency", "grad_x_input", "smooth_grad", "integrated_gradients", "guided_backprop", "guided_grad_cam"):
        tried, params = implementation(method), resolved(probe, method, class_index=3)
        if tried.lane == "slow":
            _, found = driven(tried.run(probe, Inputs(x), params))
        else:
            (found,) = tried.run(probe, Inputs(x), [params])
        output = tried.draw(found, photo_of(), params)
        assert "class 3: the map is zero everywhere; it is drawn as zeros." in output.warnings
