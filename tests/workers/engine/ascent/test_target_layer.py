from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.zoo import ZOO, photo_batch
from workers.contract.synthesis import Objective
from workers.engine.ascent.single_objective import single_objective
from workers.engine.ascent.target_layer import can_select_channels, selective_call
from workers.engine.graph import Graph


@pytest.mark.parametrize("path", ["conv1", "conv2", "hidden"])
def test_only_the_channels_asked_for_are_computed_and_are_the_layers_own(path: str) -> None:
    model = ZOO["functional"]()
    graph, x, indices = Graph(model), photo_batch(model, 3), np.int32([4, 0, 4])
    layer = graph.layer_at(path).layer
    assert can_select_channels(layer)
    call = selective_call(layer)
    assert call is not None
    taken = graph.run(x, [path], {path: lambda inputs: call(inputs, indices).output})[path]
    whole = graph.run(x, [path])[path]
    np.testing.assert_allclose(taken, np.asarray(whole)[..., indices], rtol=1e-5, atol=1e-6)
    values = single_objective(graph, Objective("channel", path, (4, 0, 4)), "photo", redirect=False, precision="float32")(
        x, indices, np.int32([0, 0])
    )
    maps = np.asarray(whole).reshape(3, -1, whole.shape[-1]).mean(axis=1)
    np.testing.assert_allclose(values, maps[np.arange(3), indices], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(4, 3, groups=2, activation="relu"),
        layers.Conv2D(4, 3, activation="softmax"),
        layers.DepthwiseConv2D(3),
        layers.BatchNormalization(),
    ],
)
def test_layers_whose_channels_depend_on_each_other_are_computed_whole(layer: keras.Layer) -> None:
    layer.build((None, 5, 5, 2))
    assert not can_select_channels(layer)
