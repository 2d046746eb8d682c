from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from schemas.errors import UnknownLayer
from tests.workers.engine.support import probe_of, relative_difference, zoo_probe
from tests.zoo import HEAD, TARGET_LAYER, ZOO, photo_batch
from workers.engine.graph import Graph
from workers.engine.randomised_layers import randomised_layers
from workers.engine.weights import weights_of

CLASSIFIERS = sorted(name for name, head in HEAD.items() if head != "none")


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_all_weights_drawn_anew_while_the_model_stays(name: str) -> None:
    probe = zoo_probe(name)
    model = probe.graph.model
    x, layer, tops = photo_batch(model, 2), TARGET_LAYER[name], np.full(2, -1, np.int32)
    weights = [np.array(weight) for weight in model.weights]
    before = probe.gradients(x, layer, tops)
    drawn = probe.randomised([one.path for one in probe.graph.layers], seed=1)
    found = drawn.gradients(x, layer, tops)
    assert found.activations.shape == before.activations.shape
    assert relative_difference(found.activations, before.activations) > 0.1
    assert relative_difference(found.logits, before.logits) > 0.1
    for weight, same in zip(model.weights, weights, strict=True):
        np.testing.assert_array_equal(weight, same)
    np.testing.assert_array_equal(probe.gradients(x, layer, tops).gradients, before.gradients)
    again = probe.randomised([one.path for one in probe.graph.layers], seed=1).gradients(x, layer, tops)
    np.testing.assert_array_equal(again.gradients, found.gradients)
    other = probe.randomised([one.path for one in probe.graph.layers], seed=2).gradients(x, layer, tops)
    assert relative_difference(other.activations, found.activations) > 0.05


def test_only_the_layers_named_and_what_is_inside_them() -> None:
    probe = zoo_probe("nested")
    x = photo_batch(probe.graph.model, 2)
    paths = ["base/conv1", "base/conv2", "predictions"]
    own = {path: probe.weights(path)["kernel"] for path in paths}

    def changed(names: list[str]) -> list[str]:
        drawn = probe.randomised(names, seed=0)
        return [path for path in paths if not np.array_equal(drawn.weights(path)["kernel"], own[path])]

    assert changed(["base/conv2"]) == ["base/conv2"]
    assert changed(["base"]) == ["base/conv1", "base/conv2"]
    assert changed(["flatten", "rescale"]) == []
    head = probe.randomised(["predictions"], seed=0).forward(x, ["base/conv2"], scores=True)
    before = probe.forward(x, ["base/conv2"], scores=True)
    np.testing.assert_array_equal(head.activations["base/conv2"], before.activations["base/conv2"])
    assert relative_difference(head.logits, before.logits) > 0.1
    with pytest.raises(UnknownLayer):
        probe.randomised(["base/conv3"], seed=0)


def test_layers_can_be_randomised_one_after_another_as_in_cascading_randomisation() -> None:
    probe = zoo_probe("functional")
    first = probe.randomised(["predictions"], seed=0)
    second = first.randomised(["hidden"], seed=0)
    together = probe.randomised(["hidden", "predictions"], seed=0)
    for path in ("hidden", "predictions", "conv1"):
        np.testing.assert_array_equal(second.weights(path)["kernel"], together.weights(path)["kernel"])
    np.testing.assert_array_equal(second.weights("predictions")["kernel"], first.weights("predictions")["kernel"])


def test_weights_follow_the_layers_own_initialisers() -> None:
    photo = keras.Input((4, 5, 3), name="photo")
    x = layers.Conv2D(64, 3, kernel_initializer="he_normal", bias_initializer="ones", name="conv")(photo)
    x = layers.DepthwiseConv2D(2, depthwise_initializer=keras.initializers.RandomUniform(2, 3), name="depthwise")(x)
    x = layers.BatchNormalization(gamma_initializer=keras.initializers.Constant(3), name="norm")(x)
    model = keras.Model(photo, layers.Dense(4, name="scores")(layers.Flatten(name="flat")(x)))
    for weight in model.weights:
        weight.assign(np.full(weight.shape, 7, "float32"))
    probe = probe_of(model)
    drawn = probe.randomised(["conv", "depthwise", "norm", "scores"], seed=4)
    conv = drawn.weights("conv")
    assert abs(conv["kernel"].std() - (2 / 27) ** 0.5) < 0.02  # He: variance 2 / fan in
    assert (conv["bias"] == 1).all()
    kernel = drawn.weights("depthwise")["kernel"]
    assert 2 <= kernel.min() < kernel.max() <= 3
    norm = drawn.weights("norm")
    assert [float(norm[name][0]) for name in ("gamma", "beta", "moving_mean", "moving_variance")] == [3, 0, 0, 1]
    assert abs(drawn.weights("scores")["kernel"]).max() <= (6 / (128 + 4)) ** 0.5  # Glorot: √(6 / (in + out))
    assert (probe.weights("conv")["bias"] == 7).all()


def test_layers_without_weights_are_left_alone() -> None:
    graph = probe_of(ZOO["functional"]()).graph
    assert randomised_layers(graph, ["flatten", "pool1", "photo"], 0) == {}


def test_a_wrappers_inner_layer_is_drawn_too() -> None:
    photo = keras.Input((2, 4), name="photo")
    x = layers.TimeDistributed(layers.Dense(3, name="inner"), name="each")(photo)
    graph = Graph(keras.Model(photo, layers.Flatten(name="flat")(x)))
    drawn = Graph(graph.model, randomised_layers(graph, ["each"], 0))
    (kernel, _), (own, _) = (weights_of(one, "each").values() for one in (drawn, graph))
    assert not np.array_equal(kernel, own)
    x = np.random.default_rng(0).normal(size=(3, 2, 4)).astype("float32")
    np.testing.assert_allclose(drawn.run(x, ["each"])["each"], x @ kernel, atol=1e-6)
