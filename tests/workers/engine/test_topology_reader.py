"""Reading models of every form: the list of layers, their order and shapes, and what depends on what."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.errors import ModelLoadFailed, UnknownLayer
from tests.zoo import HEAD, TARGET_LAYER, ZOO, photo_batch, seeded
from workers.engine.graph import Graph


def inputs_of(model: keras.Model, n: int = 2) -> list[np.ndarray]:
    extra = [np.linspace(-1, 1, n * 4, dtype="float32").reshape(n, 4)] if len(model.inputs) == 2 else []
    return [photo_batch(model, n), *extra]


def by_path(graph: Graph) -> dict:
    return {layer.path: layer for layer in graph.layers}


@pytest.mark.parametrize("name", sorted(ZOO))
def test_layers_come_after_those_they_read_and_shapes_are_right(name: str) -> None:
    model = ZOO[name]()
    graph = Graph(model)
    taps = graph.run(inputs_of(model), [layer.path for layer in graph.layers])
    seen: set[str] = set()
    for layer in graph.layers:
        assert seen.issuperset(layer.inbound), layer.path
        assert layer.is_input or layer.inbound, layer.path
        seen.add(layer.path)
        assert all(said in (None, size) for said, size in zip(layer.output_shape, taps[layer.path].shape, strict=True)), layer.path


def test_nested_models_are_opened_and_also_listed() -> None:
    graph = Graph(ZOO["nested_head"]())
    assert [layer.path for layer in graph.layers] == [
        "photo",
        "base/inner_photo",
        "base/conv1",
        "base/pool1",
        "base/conv2",
        "base",
        "head/features",
        "head/gap",
        "head/scores",
        "head/softmax",
        "head",
    ]
    found = by_path(graph)
    assert [path for path, layer in found.items() if layer.is_model] == ["base", "head"]
    assert found["base/inner_photo"].inbound == ("photo",)
    assert found["base"].inbound == ("base/conv2",)
    assert found["head/gap"].inbound == ("head/features",)
    # The base was built for any size. Here it is called on 13 × 9, so its output shape is known.
    assert found["base/conv2"].output_shape == (None, 4, 8, 8)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("keyword", [False, True])
def test_a_nested_model_of_two_inputs_gets_them_as_it_was_called(named: bool, keyword: bool) -> None:
    wide, narrow = keras.Input((None, 3, 2), name="wide"), keras.Input((2, 2), name="narrow")
    x = layers.Conv2D(2, (1, 2), name="conv")(wide)
    x = layers.Concatenate(name="both")(
        [layers.Flatten(name="flat")(layers.GlobalMaxPooling2D(name="gmp")(x)), layers.Flatten(name="a")(narrow)]
    )
    inner = seeded(keras.Model({"wide": wide, "narrow": narrow} if named else [wide, narrow], x, name="base"))
    one, two = keras.Input((4, 3, 2), name="one"), keras.Input((2, 2), name="two")
    given = {"wide": one, "narrow": two} if named else [one, two]
    model = keras.Model([one, two], inner(inputs=given) if keyword else inner(given))
    rng = np.random.default_rng(3)
    x = [rng.normal(size=(2, *tensor.shape[1:])).astype("float32") for tensor in (one, two)]
    graph = Graph(model)
    np.testing.assert_allclose(graph.run(x, ["base"])["base"], model(x), atol=1e-6)
    assert by_path(graph)["base/conv"].output_shape == (None, 4, 2, 2)


def test_a_layer_that_is_a_subclassed_model_is_one_layer() -> None:
    class Opaque(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="opaque")
            self.inner = layers.Conv2D(2, 3, name="inner")

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return tf.nn.relu(self.inner(x))

    photo = keras.Input((5, 4, 3), name="photo")
    opaque = Opaque()
    model = seeded(keras.Model(photo, layers.GlobalMaxPooling2D(name="gmp")(opaque(photo))))
    graph, x = Graph(model), photo_batch(model)
    assert [layer.path for layer in graph.layers] == ["photo", "opaque", "gmp"]
    np.testing.assert_allclose(graph.run(x, ["opaque"])["opaque"], opaque(x), atol=1e-6)
    with pytest.raises(ModelLoadFailed, match=r"'opaque'.*no layer graph.*keras\.Model\(inputs, model\.call\(inputs\)\)"):
        Graph(opaque)


def test_reaches_follows_the_graph() -> None:
    graph = Graph(ZOO["two_outputs"]())
    assert graph.reaches_scores("conv2")
    assert not graph.reaches_scores("branch")
    assert graph.reaches("branch", "number")
    assert graph.reaches("photo", "conv1")
    assert not graph.reaches("conv2", "conv1")
    nested = Graph(ZOO["nested"]())
    assert nested.reaches_scores("base/conv1")
    assert nested.reaches("base/conv1", "base")
    assert not nested.reaches("base", "base/conv2")
    # The class score is the logit, which is computed before the softmax.
    assert not nested.reaches_scores("predictions")
    assert nested.reaches("predictions", "predictions")
    inside = Graph(ZOO["nested_head"]())
    assert [path for path in ("base", "head/gap", "head/scores", "head/softmax", "head") if inside.reaches_scores(path)] == [
        "base",
        "head/gap",
        "head/scores",
    ]


def test_an_unknown_layer_is_refused_with_its_nearest() -> None:
    with pytest.raises(UnknownLayer, match=r"no layer 'base/conv3'\. Nearest: base/conv") as caught:
        Graph(ZOO["nested"]()).run(np.zeros((1, 13, 9, 3), "float32"), ["base/conv3"])
    assert set(caught.value.nearest) >= {"base/conv1", "base/conv2"}


def test_the_zoo_declares_the_heads_and_target_layers_of_its_models() -> None:
    assert set(ZOO) == set(HEAD) == set(TARGET_LAYER)
    for name, build in ZOO.items():
        graph = Graph(build())
        assert graph.head.kind == HEAD[name], name
        assert graph.layer_at(TARGET_LAYER[name]).output_shape[-1] is not None
