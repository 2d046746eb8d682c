"""Layers may have every name that Keras allows. A model with such names gives the results of the same model with plain names."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from schemas.errors import UnsuitableLayer
from schemas.methods import METHODS
from tests.contract.cases import ATTENTION_METHODS, MethodCase, examined_model, resolved_alike
from tests.zoo import seeded
from workers.contract.artifacts import Array, Output
from workers.engine.probe import KerasProbe
from workers.execution.artifact_encoders import encode_artifact
from workers.methods import implementation

pytestmark = pytest.mark.slow

ODD = {
    "photo": "das Foto",
    "conv1": "_conv",
    "bn": "conv+bn",
    "relu": "größe",
    "shared": "my conv",
    "shared_2": "my conv@1",
    "base": "a b",
    "inner": "conv(3x3)",
    "recurrent": "my lstm",
    "scores": "猫:scores",
}
# `faithfulness` draws weights anew with seeds that are made from the layers' paths.
SEEDED_BY_PATH = {"faithfulness"}
# Relevance propagation and DeepLIFT have no rule for the recurrent layer.
WITHOUT_RECURRENT = {"lrp", "excitation_backprop", "deep_lift"}


def model_named(names: dict[str, str]) -> keras.Model:
    """Return a model whose batch norm is folded, with a shared layer, a nested model and a layer that holds other layers."""
    photo = keras.Input((13, 9, 3), name=names["photo"])
    x = layers.Conv2D(8, 3, padding="same", name=names["conv1"])(photo)
    x = layers.ReLU(name=names["relu"])(layers.BatchNormalization(name=names["bn"])(x))
    shared = layers.Conv2D(8, 3, padding="same", activation="relu", name=names["shared"])
    x = layers.Conv2D(8, 1, activation="relu", name=names["shared_2"])(shared(shared(x)))
    inside = keras.Input((13, 9, 8), name="inside")
    base = keras.Model(inside, layers.Conv2D(8, (3, 2), activation="relu", name=names["inner"])(inside), name=names["base"])
    x = base(x)
    rows = layers.Reshape((11, 64), name="rows")(x)
    x = layers.Bidirectional(layers.LSTM(3, name=names["recurrent"]), name="both")(rows)
    return seeded(keras.Model(photo, layers.Dense(4, activation="softmax", name=names["scores"])(x)))


@cache
def probe_of(kind: str) -> KerasProbe:
    return examined_model("names", model_named(ODD if kind == "odd" else {name: name for name in ODD}))[0]


def outputs(kind: str, method: str, **given: Any) -> list[Output]:
    probe = probe_of(kind)
    params = resolved_alike(METHODS[method].model_validate({**METHODS[method].card.example, **given}), probe.published)
    return MethodCase(probe, probe.published, params, implementation(method)).outputs()


def arrays(found: list[Output]) -> list[np.ndarray]:
    return [artifact.array for output in found for artifact in output.artifacts if isinstance(artifact, Array)]


def compare(method: str, **given: Any) -> None:
    odd, plain = outputs("odd", method, **given), outputs("plain", method, **given)
    assert all(encode_artifact(artifact).content for output in odd for artifact in output.artifacts)
    if method not in SEEDED_BY_PATH:
        for one, other in zip(arrays(odd), arrays(plain), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ATTENTION_METHODS])
def test_odd_names_do_not_change_a_result(method: str) -> None:
    if method in WITHOUT_RECURRENT:
        with pytest.raises(UnsuitableLayer, match="'both'"):
            outputs("odd", method)
        return
    compare(method)


@pytest.mark.parametrize("method", ["grad_cam", "saliency", "guided_backprop"])
def test_odd_names_do_not_change_a_result_in_bfloat16(method: str) -> None:
    compare(method, precision="bfloat16")


@pytest.mark.parametrize("path", ["_conv", "conv+bn", "größe", "my conv", "my conv@1", "a b/conv(3x3)"])
def test_a_layer_is_found_by_its_own_name(path: str) -> None:
    plain = {odd: name for name, odd in ODD.items()}
    same = "/".join(plain[name] for name in path.split("/"))
    for method in ("activations", "grad_cam", "filters"):
        odd = arrays(outputs("odd", method, layer=path))
        for one, other in zip(odd, arrays(outputs("plain", method, layer=same)), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_layer_named_like_the_second_call_of_another_stays_itself() -> None:
    """Two calls of `my conv` and the layer `my conv@1` are three calls, and each layer is listed once."""
    graph = probe_of("odd").graph
    paths = [layer.path for layer in graph.layers]
    assert paths.count("my conv") == paths.count("my conv@1") == 1
    x = np.random.default_rng(0).normal(size=(2, 13, 9, 3)).astype(np.float32)
    found = graph.run(x, ["größe", "my conv", "my conv@1"])
    shared, other = graph.layer_at("my conv").layer, graph.layer_at("my conv@1").layer
    np.testing.assert_allclose(found["my conv"], shared(found["größe"]), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["my conv@1"], other(shared(found["my conv"])), rtol=1e-5, atol=1e-5)
