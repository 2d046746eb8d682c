"""The engine finds the meaning of an output from its values, and every score follows from it."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import ModelLoadFailed
from tests.workers.models.entries import file_entry
from tests.zoo import ZOO, seeded
from workers.engine.graph import Graph
from workers.engine.probe import KerasProbe
from workers.models.description.describe import describe

SIZE = (2, 3, 1)
# The mean of this photo is ln 3, so that a softmax of (mean, 0) is (.75, .25) and a sigmoid of the mean is .75.
PHOTO = np.array([[[[0.0], [2.0], [1.0]], [[1.0], [2.0], [6 * log(3) - 6]]]], np.float32)


def branch(mean: Any, weights: list[float], activation: str, bias: float = 0) -> Any:
    """Return an activation of `weights` · mean + bias."""
    dense = layers.Dense(len(weights), activation=activation)
    values = dense(mean)
    dense.set_weights([np.array([weights], np.float32), np.full(len(weights), bias, np.float32)])
    return values


def model_of(tail: Callable[[Any], Any]) -> keras.Model:
    photo = keras.Input(SIZE, name="photo")
    return keras.Model(photo, tail(layers.GlobalAveragePooling2D()(layers.Identity(name="map")(photo))))


def two_softmaxes(mean: Any) -> Any:
    return layers.Average()([branch(mean, [1, 0], "softmax"), branch(mean, [0, 0], "softmax")])


def pair(mean: Any) -> Any:
    p = branch(mean, [1], "sigmoid")
    return layers.Concatenate()([1 - p, p])


def without_the_last_class(mean: Any) -> Any:
    return branch(mean, [1, 0, 0], "softmax")[:, :2]


def two_sigmoids(mean: Any) -> Any:
    return layers.Average()([branch(mean, [1], "sigmoid"), branch(mean, [0], "sigmoid")])


def labels_of_two_models(mean: Any) -> Any:
    return layers.Average()([branch(mean, [1, 0], "sigmoid"), branch(mean, [0, 0], "sigmoid")])


def softmaxes_in_groups(mean: Any) -> Any:
    return layers.Flatten()(layers.Softmax()(layers.Reshape((2, 2))(branch(mean, [1, 0, 0, 0], "linear"))))


def of_unit_sum(mean: Any) -> Any:
    shares = keras.ops.exp(branch(mean, [1, 0], "linear") / 100)
    return shares / keras.ops.sum(shares, axis=-1, keepdims=True)


def probe_of_described(model: keras.Model, **settings: Any) -> KerasProbe:
    return KerasProbe(model, describe(model, file_entry(Path("tested"), **settings)))


@pytest.mark.parametrize(
    ("tail", "kind", "logits", "probabilities"),
    [
        (two_softmaxes, "probabilities", [log(0.625), log(0.375)], [0.625, 0.375]),
        (pair, "probabilities", [log(0.25), log(0.75)], [0.25, 0.75]),
        (without_the_last_class, "probabilities", [log(0.6), log(0.2)], [0.6, 0.2]),
        (two_sigmoids, "binary", [-log(0.625 / 0.375), log(0.625 / 0.375)], [0.375, 0.625]),
        (lambda x: branch(x, [1], "sigmoid"), "binary", [-log(3), log(3)], [0.25, 0.75]),
        (labels_of_two_models, "probabilities", [log(0.625), log(0.5)], [0.625, 0.5]),
        (softmaxes_in_groups, "probabilities", [log(0.75), log(0.25), log(0.5), log(0.5)], [0.75, 0.25, 0.5, 0.5]),
        (lambda x: keras.ops.log_softmax(branch(x, [1, 0], "linear")), "log_probabilities", [log(0.75), log(0.25)], [0.75, 0.25]),
        (lambda x: keras.ops.log(branch(x, [1, 0], "softmax", 5)), "log_probabilities", [log(0.75), log(0.25)], [0.75, 0.25]),
        (lambda x: branch(x, [1, 0], "linear"), "logits", [log(3), 0], [0.75, 0.25]),
        (lambda x: branch(x, [1, 0], "relu"), "logits", [log(3), 0], [0.75, 0.25]),
        (layers.Dense(2, kernel_initializer="zeros", use_bias=False), "logits", [0, 0], [0.5, 0.5]),
        (lambda x: branch(x, [1, 0], "sigmoid"), "sigmoid", [log(3), 0], [0.75, 0.5]),
    ],
)
def test_scores_worked_by_hand(tail: Callable[[Any], Any], kind: str, logits: list[float], probabilities: list[float]) -> None:
    probe = probe_of_described(model_of(tail))
    found = probe.forward(PHOTO, scores=True)
    assert (probe.description.head, probe.description.heads[0].head) == (kind, kind)
    np.testing.assert_allclose(found.logits, [logits], atol=2e-6)
    np.testing.assert_allclose(found.probabilities, [probabilities], atol=1e-6)


def test_one_linear_value_is_a_regression_value_unless_the_settings_say_that_it_is_a_logit() -> None:
    model = model_of(lambda x: branch(x, [1], "linear"))
    description = probe_of_described(model).description
    assert (description.head, description.classes, description.heads[0].kind) == ("regression", None, "regression")
    probe = probe_of_described(model, head="logits")
    assert (probe.description.head, probe.description.classes) == ("logits", 1)
    found = probe.forward(PHOTO, scores=True)
    np.testing.assert_allclose(found.logits, [[log(3)]], atol=2e-6)
    np.testing.assert_allclose(found.probabilities, [[0.75]], atol=1e-6)


def test_an_output_that_sums_to_one_by_its_arithmetic_is_probabilities() -> None:
    probe = probe_of_described(model_of(of_unit_sum))
    p = 3**0.01 / (3**0.01 + 1)
    assert probe.description.head == "probabilities"
    np.testing.assert_allclose(probe.forward(PHOTO, scores=True).probabilities, [[p, 1 - p]], atol=1e-6)


@pytest.mark.parametrize(
    ("tail", "score", "index", "slope"),
    [
        # p = (softmax(m, 0) + ½) / 2, so dp/dm = .75 · .25 / 2, and d(log p)/dm is that divided by .625.
        (two_softmaxes, "logit", 0, 0.09375 / 0.625),
        (two_softmaxes, "logit", 1, -0.09375 / 0.375),
        (two_softmaxes, "probability", 0, 0.09375),
        # For a single probability: d(log(p / (1 - p)))/dm = dp/dm / (p · (1 - p)).
        (two_sigmoids, "logit", 1, 0.09375 / (0.625 * 0.375)),
        (two_sigmoids, "logit", 0, -0.09375 / (0.625 * 0.375)),
        (two_sigmoids, "probability", 0, -0.09375),
        (lambda x: keras.ops.log_softmax(branch(x, [1, 0], "linear")), "probability", 0, 0.75 * 0.25),
    ],
)
def test_gradients_worked_by_hand(tail: Callable[[Any], Any], score: Any, index: int, slope: float) -> None:
    found = probe_of_described(model_of(tail)).gradients(PHOTO, "map", np.array([index], np.int32), score=score)
    np.testing.assert_allclose(found.gradients, np.full((1, *SIZE), slope / 6), rtol=1e-5)


def test_a_probability_of_zero_gives_finite_scores_and_gradients() -> None:
    def saturated(mean: Any) -> Any:
        return layers.Average()([branch(mean, [2000, 0], "softmax"), branch(mean, [1000, 0], "softmax")])

    found = probe_of_described(model_of(saturated)).gradients(PHOTO, "map", np.array([1], np.int32))
    np.testing.assert_allclose(found.probabilities, [[1, 0]], atol=1e-20)
    assert np.isfinite(found.logits).all()
    assert np.isfinite(found.gradients).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_rounding_in_half_precision_does_not_hide_probabilities(policy: str) -> None:
    photo = keras.Input((8, 6, 3), name="photo")
    x = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(layers.Conv2D(4, 3, dtype=policy)(layers.Rescaling(1 / 255)(photo))))
    own = [layers.Dense(300, activation="softmax", dtype=policy)(x) for _ in range(2)]
    model = seeded(keras.Model(photo, layers.Average(dtype=policy)(own)))
    probe = probe_of_described(model)
    assert probe.description.head == "probabilities"
    image = np.random.default_rng(3).integers(0, 256, (2, 8, 6, 3)).astype(np.float32)
    expected = tf.cast(model(image), tf.float32)
    np.testing.assert_allclose(probe.forward(image, scores=True).probabilities, expected, rtol=4e-2)


def without_classes() -> keras.Model:
    photo = keras.Input((8, 6, 3), name="photo")
    return keras.Model(photo, layers.Reshape((48, 3))(photo))


def test_the_settings_of_the_model_decide() -> None:
    model = model_of(lambda x: branch(x, [0.1, 0.2], "linear"))
    assert probe_of_described(model).description.head == "logits"
    given = probe_of_described(model, head="probabilities")
    assert given.description.head == "probabilities"
    np.testing.assert_allclose(given.forward(PHOTO, scores=True).probabilities, [[0.1 * log(3), 0.2 * log(3)]], rtol=1e-5)
    once_more = probe_of_described(model_of(two_softmaxes), head="logits").forward(PHOTO, scores=True)
    np.testing.assert_allclose(once_more.probabilities, tf.nn.softmax([[0.625, 0.375]]), rtol=1e-5)
    single = probe_of_described(model_of(lambda x: branch(x, [0.5], "linear")), head="probabilities")
    assert (single.description.head, single.description.classes) == ("binary", 2)
    np.testing.assert_allclose(single.forward(PHOTO, scores=True).probabilities, [[1 - 0.5 * log(3), 0.5 * log(3)]], rtol=1e-5)
    with pytest.raises(ModelLoadFailed, match="the head 'logits', but the model has no class output"):
        describe(without_classes(), file_entry(Path("tested"), head="logits"))


def test_a_model_of_any_size_is_tried_at_a_size_that_its_layers_can_process() -> None:
    photo = keras.Input((None, None, 3), name="photo")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 70)(photo))
    own = [layers.Dense(3, activation="softmax")(x) for _ in range(2)]
    model = seeded(keras.Model(photo, keras.ops.add(0.25 * own[0], 0.75 * own[1])))
    assert probe_of_described(model).description.head == "probabilities"


def test_the_kinds_are_the_same_every_time_and_known_layers_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(two_softmaxes)
    assert describe(model, file_entry(Path("tested"))) == describe(model, file_entry(Path("tested")))

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a model with a final softmax needs no test images")

    monkeypatch.setattr("workers.engine.output_values.evaluate", never)
    assert describe(ZOO["functional"](), file_entry(Path("tested"))).description.head == "softmax"


def test_weights_drawn_anew_keep_the_kind_of_the_head() -> None:
    probe = probe_of_described(model_of(two_softmaxes))
    dense = next(layer.path for layer in probe.graph.layers if isinstance(layer.layer, layers.Dense))
    drawn = probe.randomised([dense], seed=1).forward(PHOTO, scores=True)
    np.testing.assert_allclose(drawn.probabilities.sum(), 1, atol=1e-6)
    np.testing.assert_allclose(np.exp(drawn.logits), drawn.probabilities, rtol=1e-5)


def test_a_graph_without_a_description_knows_only_its_layers() -> None:
    assert Graph(model_of(two_softmaxes)).head.kind == "logits"
