from __future__ import annotations

import logging

import keras
import numpy as np
import pytest
from keras import layers

from tests.workers.engine.support import probe_of, relative_difference
from tests.zoo import ZOO, photo_batch, seeded
from workers.engine import folding
from workers.engine.folding import fold_batch_norms
from workers.engine.graph import Graph


def test_one_folded_convolution_worked_by_hand() -> None:
    photo = keras.Input((1, 2, 1), name="photo")
    x = layers.Conv2D(2, (1, 2), name="conv")(photo)
    model = keras.Model(photo, layers.BatchNormalization(epsilon=0.25, name="bn")(x))
    model.get_layer("conv").set_weights([np.array([[[[1, 2]], [[3, 4]]]], "float32"), np.array([10, 20], "float32")])
    gamma, beta, mean, variance = [2, 3], [5, 7], [4, 8], [0.75, 3.75]
    model.get_layer("bn").set_weights([np.array(value, "float32") for value in (gamma, beta, mean, variance)])
    (pair,) = fold_batch_norms(Graph(model).topology)
    kernel, bias = (variable.numpy() for variable in pair.variables)
    # s = γ/√(σ² + ε) = 2/1 and 3/2; s·W; s·(b - μ) + β = 2·6 + 5 and 1.5·12 + 7
    np.testing.assert_allclose(kernel[0, :, 0], [[2, 3], [6, 6]], rtol=1e-6)
    np.testing.assert_allclose(bias, [17, 25], rtol=1e-6)


def test_what_is_folded_and_what_is_not() -> None:
    pairs = Graph(ZOO["batch_norm"]()).folded_pairs
    assert [(pair.convolution, pair.norm) for pair in pairs] == [
        ("conv1", "bn1"),
        ("depthwise", "bn_depthwise"),
        ("separable", "bn_separable"),
        ("transposed", "bn_transposed"),
        ("conv2", "bn2"),
        ("hidden", "bn_hidden"),
    ]


def test_the_folded_model_is_the_unfolded_one() -> None:
    model = ZOO["batch_norm"]()
    graph, x = Graph(model), photo_batch(model, 3)
    folded = {pair.convolution for pair in graph.folded_pairs}
    paths = [layer.path for layer in graph.layers if layer.path not in folded]
    expected, got = graph.run(x, paths), graph.run(x, paths, graph.fast_calls(paths))
    assert max(relative_difference(got[path], expected[path]) for path in paths) < 1e-5


@pytest.mark.parametrize("target", ["conv1", "depthwise", "separable", "transposed", "conv2", "hidden"])
def test_a_tapped_convolution_has_its_own_output(target: str) -> None:
    model = ZOO["batch_norm"]()
    graph, x = Graph(model), photo_batch(model)
    found = probe_of(model).forward(x, [target], scores=True)
    assert relative_difference(found.activations[target], graph.run(x, [target])[target]) < 1e-5
    assert relative_difference(found.probabilities, model(x)) < 1e-5
    gradients = probe_of(model).gradients(x, target, np.array([0, 1], np.int32))
    assert relative_difference(gradients.activations, graph.run(x, [target])[target]) < 1e-5


def small(*, conv: dict | None = None, norm: dict | None = None, twice: bool = False, output: bool = False) -> keras.Model:
    photo = keras.Input((5, 4, 2), name="photo")
    convolution = layers.Conv2D(3, 2, padding="same", name="conv", **(conv or {}))
    x = convolution(photo)
    normed = layers.BatchNormalization(name="bn", **(norm or {}))(x)
    if twice:
        normed = layers.Add(name="add")([normed, convolution(layers.Conv2D(2, 1, name="other")(photo))])
    return seeded(keras.Model(photo, [normed, x] if output else normed))


@pytest.mark.parametrize(
    ("reason", "model"),
    [
        ("an activation in between", lambda: small(conv={"activation": "relu"})),
        ("another axis", lambda: small(norm={"axis": 1})),
        ("the convolution is an output", lambda: small(output=True)),
        ("the convolution is called twice", lambda: small(twice=True)),
        ("half precision rounds otherwise", lambda: small(conv={"dtype": "mixed_bfloat16"})),
        ("the norm computes in half precision", lambda: small(norm={"dtype": "mixed_float16"})),
    ],
)
def test_pairs_that_would_compute_something_else_are_not_folded(reason: str, model) -> None:
    assert not Graph(model()).folded_pairs, reason


@pytest.mark.parametrize("conv", [{"groups": 2, "filters": 4}, {"strides": (2, 1)}, {"dilation_rate": (1, 2)}, {"use_bias": False}])
def test_convolutions_of_every_sort_fold(conv: dict) -> None:
    photo = keras.Input((7, 6, 2), name="photo")
    x = layers.Conv2D(**{"filters": 4, "kernel_size": (3, 2), "name": "conv", **conv})(photo)
    model = seeded(keras.Model(photo, layers.BatchNormalization(name="bn")(x)))
    graph, x = Graph(model), photo_batch(model)
    assert len(graph.folded_pairs) == 1
    assert relative_difference(graph.run(x, ["bn"], graph.fast_calls(["bn"]))["bn"], model(x)) < 1e-5


def test_a_wrong_fold_is_not_used_and_a_warning_names_it(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    right = folding.fold

    def slightly_wrong(layer: object, norm: object) -> object:
        folded = right(layer, norm)
        folded.bias.assign_add(np.full(folded.bias.shape, 0.001, "float32"))
        return folded

    monkeypatch.setattr(folding, "fold", slightly_wrong)
    model = small()
    graph, x = Graph(model), photo_batch(model)
    with caplog.at_level(logging.WARNING):
        assert graph.folded_pairs == ()
    assert "batch norm 'bn' is not folded into 'conv'" in caplog.text
    np.testing.assert_allclose(graph.run(x, ["bn"], graph.fast_calls(["bn"]))["bn"], model(x), atol=1e-6)


def test_what_folding_adds_is_counted() -> None:
    graph = Graph(small())
    assert graph.nbytes == 0
    assert len(graph.folded_pairs) == 1
    assert graph.nbytes == 4 * (2 * 2 * 2 * 3 + 3)
