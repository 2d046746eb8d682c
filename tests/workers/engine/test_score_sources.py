"""Targets that are read from any values of a model: numbers worked by hand, and plain `GradientTape` code that does not use the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import NoGradient
from tests.workers.models.entries import file_entry
from tests.zoo.registry import seeded
from workers.contract.scores import Readout
from workers.engine.probe import KerasProbe
from workers.models.description.describe import describe

SIZE = (6, 10)  # height and width of the inputs
PHOTOS = np.random.default_rng(5).uniform(-1, 1, (3, *SIZE, 3)).astype(np.float32)


def probe_of(model: keras.Model) -> KerasProbe:
    return KerasProbe(model, describe(model, file_entry(Path("tested"))))


def unet(head: str, classes: int) -> keras.Model:
    photo = keras.Input((*SIZE, 3), name="photo")
    fine = layers.Conv2D(4, 3, padding="same", activation="relu", name="fine")(photo)
    coarse = layers.Conv2D(6, 3, padding="same", activation="relu", name="coarse")(layers.MaxPooling2D(name="pool")(fine))
    joined = layers.Concatenate(name="joined")([layers.UpSampling2D(name="up")(coarse), fine])
    return seeded(keras.Model(photo, layers.Conv2D(classes, 1, activation=head, name="seg")(joined)))


def linear_segmentation() -> keras.Model:
    """Return a model of an image (2, 3, 1) whose 1 × 1 convolutions double it and then give the logits (a, -3a) of two classes."""
    photo = keras.Input((2, 3, 1), name="photo")
    doubled = layers.Conv2D(1, 1, use_bias=False, name="doubled")(photo)
    model = keras.Model(photo, layers.Conv2D(2, 1, use_bias=False, activation="softmax", name="seg")(doubled))
    model.get_layer("doubled").set_weights([np.full((1, 1, 1, 1), 2, "float32")])
    model.get_layer("seg").set_weights([np.array([[[[1, -3]]]], "float32")])
    return model


def test_a_region_of_a_linear_segmentation_worked_by_hand() -> None:
    probe = probe_of(linear_segmentation())
    x = np.array([[[[1], [2], [3]], [[4], [5], [6]]]], np.float32)
    weights = np.zeros((2, 2, 3, 2), np.float32)
    weights[0, 0, 1:, 1] = 1  # class 1 at the positions (0, 1) and (0, 2)
    weights[1, 1, 0, 0] = 1
    explaining = probe.explaining(Readout("logits"), weights, ("road", "sky"))
    found = explaining.gradients(np.repeat(x, 2, axis=0), "doubled", np.array([0, 1], np.int32))
    # -3 · 2 · (2 + 3) and 2 · 4
    np.testing.assert_allclose(found.logits, [[-30, 8], [-30, 8]], rtol=1e-6)
    np.testing.assert_array_equal(found.gradients[0, ..., 0], [[0, -3, -3], [0, 0, 0]])
    np.testing.assert_array_equal(found.gradients[1, ..., 0], [[0, 0, 0], [1, 0, 0]])
    at_input = explaining.input_gradients(x, np.array([0], np.int32)).gradients
    np.testing.assert_array_equal(at_input[0, ..., 0], [[0, -6, -6], [0, 0, 0]])
    assert explaining.published.labels == ("road", "sky")
    assert probe.published.labels == ()
    # Ablating the middle of the first row leaves -3 · 6.
    ablated = found.activations[:1] * np.array([[1, 0, 1], [1, 1, 1]], np.float32)[None, ..., None]
    np.testing.assert_allclose(explaining.scores_from(x, "doubled", ablated).logits, [[-18, 8]], rtol=1e-6)
    p = explaining.explaining(Readout("probabilities"), weights, ("road", "sky")).forward(x, scores=True).probabilities
    np.testing.assert_allclose(p, [[1 / (1 + np.exp(16)) + 1 / (1 + np.exp(24)), 1 / (1 + np.exp(-32))]], rtol=1e-4)


@pytest.mark.parametrize(("head", "classes", "kind"), [("softmax", 3, "softmax"), ("sigmoid", 3, "sigmoid"), ("linear", 3, "none")])
def test_the_region_of_a_unet_has_the_tapes_gradients(head: str, classes: int, kind: str) -> None:
    model = unet(head, classes)
    probe = probe_of(model)
    assert (probe.description.heads[0].kind, probe.description.heads[0].head, probe.description.heads[0].dense_classes) == (
        *("dense_classes", kind),
        classes,
    )
    assert probe.description.heads[0].default_layer == "coarse"
    region = np.random.default_rng(1).uniform(size=SIZE) > 0.6
    weights = np.zeros((1, *SIZE, classes), np.float32)
    weights[0, region, 2] = 1
    found = probe.explaining(Readout("logits"), weights, ("it",)).gradients(PHOTOS, "coarse", np.zeros(3, np.int32))
    kernel, bias = model.get_layer("seg").get_weights()
    with tf.GradientTape() as tape:
        x = tf.constant(PHOTOS)
        coarse, fine = model.get_layer("coarse")(model.get_layer("pool")(model.get_layer("fine")(x))), model.get_layer("fine")(x)
        tape.watch(coarse)
        joined = tf.concat([model.get_layer("up")(coarse), fine], -1)
        score = tf.reduce_sum((tf.tensordot(joined, kernel[0, 0], 1) + bias)[..., 2] * region.astype(np.float32), axis=(1, 2))
    np.testing.assert_allclose(found.gradients, tape.gradient(score, coarse), atol=1e-6)
    np.testing.assert_allclose(found.logits[:, 0], score, rtol=1e-4)
    np.testing.assert_allclose(found.activations, coarse, atol=1e-6)


def test_one_sigmoid_unit_at_each_position_has_both_answers() -> None:
    model = unet("sigmoid", 1)
    probe = probe_of(model)
    assert (probe.description.heads[0].head, probe.description.heads[0].dense_classes) == ("binary", 2)
    logits = probe.values(PHOTOS, Readout("logits"))
    np.testing.assert_allclose(logits[..., 0], -logits[..., 1], atol=1e-6)
    np.testing.assert_allclose(probe.values(PHOTOS, Readout("probabilities"))[..., 1], model(PHOTOS)[..., 0], atol=1e-6)


def test_probabilities_that_are_enlarged_after_their_softmax_are_recognised() -> None:
    photo = keras.Input((*SIZE, 3), name="photo")
    small = layers.Conv2D(3, 3, padding="same", activation="softmax", name="small")(layers.AveragePooling2D(2, name="pool")(photo))
    model = seeded(keras.Model(photo, layers.UpSampling2D(interpolation="bilinear", name="up")(small)))
    probe = probe_of(model)
    assert (probe.description.heads[0].kind, probe.description.heads[0].head) == ("dense_classes", "probabilities")
    np.testing.assert_allclose(np.exp(probe.values(PHOTOS, Readout("logits"))), model(PHOTOS), rtol=1e-4)


def test_the_cosine_of_an_embedding_worked_by_hand() -> None:
    photo = keras.Input((1, 1, 3), name="photo")
    model = keras.Model(photo, layers.UnitNormalization(name="unit")(layers.Flatten(name="flat")(photo)))
    probe = probe_of(model)
    assert (probe.description.heads[0].kind, probe.description.classes) == ("embedding", None)
    explaining = probe.explaining(Readout("layer", "flat", normalised=True), np.array([[0.6, 0.8, 0]], np.float32), ("cosine",))
    found = explaining.input_gradients(np.array([[[[3, 4, 0]]], [[[4, -3, 0]]], [[[2, 0, 0]]]], np.float32), np.zeros(3, np.int32))
    np.testing.assert_allclose(found.logits[:, 0], [1, 0, 0.6], atol=1e-6)
    # ∂(w·x/|x|)/∂x = (w − cos · x/|x|) / |x|
    np.testing.assert_allclose(found.gradients.reshape(3, 3), [[0, 0, 0], [0.12, 0.16, 0], [0, 0.4, 0]], atol=1e-6)
    same = probe.explaining(Readout("output", normalised=True), np.array([[0.6, 0.8, 0]], np.float32), ("cosine",))
    np.testing.assert_allclose(same.forward(np.array([[[[4, 3, 0]]]], np.float32), scores=True).logits, [[0.96]], rtol=1e-6)


def detector() -> keras.Model:
    """Return a model with boxes (N, 30, 4), and their classes' scores (N, 30, 3) by sigmoid, as RetinaNet has them."""
    photo = keras.Input((*SIZE, 3), name="photo")
    trunk = layers.Conv2D(5, 3, strides=2, padding="same", activation="relu", name="trunk")(photo)
    boxes = layers.Reshape((30, 4), name="boxes")(layers.Conv2D(8, 1, name="regression")(trunk))
    scores = layers.Activation("sigmoid", name="scores")(
        layers.Reshape((30, 3), name="flat")(layers.Conv2D(6, 1, name="classification")(trunk))
    )
    return seeded(keras.Model(photo, [boxes, scores]))


@pytest.mark.parametrize(("output", "place"), [("boxes", (17, 2)), ("scores", (29, 1))])
def test_an_element_of_a_detectors_output_has_the_tapes_gradient(output: str, place: tuple[int, int]) -> None:
    model = detector()
    probe = probe_of(model)
    head = probe.description.head_at(output)
    assert (head.kind, head.shape, head.layer, head.layer) == ("unknown", (30, 4 if output == "boxes" else 3), output, output)
    weights = np.zeros((1, *head.shape), np.float32)
    weights[(0, *place)] = 1
    found = probe.explaining(Readout("output", output), weights, ("one",)).input_gradients(PHOTOS, np.zeros(3, np.int32))
    with tf.GradientTape() as tape:
        x = tf.constant(PHOTOS)
        tape.watch(x)
        value = model(x)[0 if output == "boxes" else 1][(slice(None), *place)]
    np.testing.assert_allclose(found.logits[:, 0], value, atol=1e-6)
    np.testing.assert_allclose(found.gradients, tape.gradient(value, x), atol=1e-6)


def test_a_layers_channel_is_read_where_a_later_layer_does_not_count() -> None:
    probe = probe_of(unet("softmax", 3))
    weights = np.zeros((1, *SIZE, 4), np.float32)
    weights[0, 2, 7, 3] = 1
    explaining = probe.explaining(Readout("layer", "fine"), weights, ("neuron",))
    found = explaining.gradients(PHOTOS, "fine", np.zeros(3, np.int32))
    np.testing.assert_allclose(found.logits[:, 0], found.activations[:, 2, 7, 3], atol=1e-6)
    assert found.gradients.sum() == 3
    with pytest.raises(NoGradient, match="not computed from layer 'coarse'"):
        explaining.gradients(PHOTOS, "coarse", np.zeros(3, np.int32))
    np.testing.assert_array_equal(explaining.scores_from(PHOTOS, "fine", np.ones_like(found.activations)).logits, 1)


def classifier() -> keras.Model:
    photo = keras.Input((*SIZE, 3), name="photo")
    x = layers.GlobalAveragePooling2D(name="mean")(layers.Conv2D(4, 3, name="conv")(photo))
    return seeded(keras.Model(photo, layers.Dense(5, activation="softmax", name="scores")(x)))


@pytest.mark.parametrize("build", [classifier, lambda: unet("softmax", 3), detector])
def test_other_weights_and_batches_do_not_compile_again(build: Callable[[], keras.Model]) -> None:
    probe = probe_of(build())
    layer, output = probe.description.heads[-1].default_layer or "", probe.description.outputs[-1]
    shape = probe.description.heads[-1].shape
    for targets in (1, 3):
        explaining = probe.explaining(Readout("output", output), np.ones((targets, *shape), np.float32), ("a", "b", "c")[:targets])
        explaining.gradients(PHOTOS[:targets], layer, np.arange(targets, dtype=np.int32))
    assert probe.traces == 1


def test_the_difference_of_two_classes_is_the_difference_of_their_gradients() -> None:
    probe = probe_of(classifier())
    weights = np.array([[0, 1, -0.5, 0, -0.5]], np.float32)
    found = probe.explaining(Readout("logits"), weights, ("difference",)).gradients(PHOTOS, "conv", np.zeros(3, np.int32))
    single = [probe.gradients(PHOTOS, "conv", np.full(3, index, np.int32)).gradients for index in (1, 2, 4)]
    np.testing.assert_allclose(found.gradients, single[0] - (single[1] + single[2]) / 2, atol=1e-7)


def test_random_weights_are_explained_by_the_same_target() -> None:
    probe = probe_of(classifier())
    weights = np.array([[1, -1, 0, 0, 0]], np.float32)
    randomised = probe.explaining(Readout("logits"), weights, ("difference",)).randomised(["scores"], 0)
    logits = probe.randomised(["scores"], 0).forward(PHOTOS, scores=True).logits
    assert logits is not None
    np.testing.assert_allclose(randomised.forward(PHOTOS, scores=True).logits, logits[:, :1] - logits[:, 1:2], atol=1e-6)
