"""Projections worked by hand for two 1 × 1 convolutions with max-pooling between them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from schemas import errors
from schemas.limits import MethodLimits
from schemas.methods.gradients.deconvnet import Deconvnet, DeconvnetFacts
from tests.workers.methods.gradients.test_gradients_on_models import probe_of
from tests.workers.methods.support import photo_of
from tests.zoo import ZOO, photo_batch, seeded
from workers.contract.artifacts import Output, Picture
from workers.contract.inputs import Inputs
from workers.engine.probe import KerasProbe
from workers.methods.gradients import deconvnet


def pooled() -> keras.Model:
    photo = keras.Input((4, 6, 3), name="photo")
    x = layers.Conv2D(5, 1, activation="relu", name="first")(photo)
    x = layers.MaxPooling2D((2, 3), name="pool")(x)
    x = layers.Conv2D(4, 1, activation="relu", name="second")(x)
    model = seeded(keras.Model(photo, layers.Dense(2, name="scores")(layers.GlobalAveragePooling2D(name="mean")(x))), seed=5)
    for name, value in (("first", 0.6), ("second", 3)):  # so that most neurons are alive
        bias = model.get_layer(name).bias
        bias.assign(np.full(bias.shape, value, "float32"))
    return model


def resolved(probe: KerasProbe, **params: Any) -> Deconvnet:
    return Deconvnet(**params).resolve(probe.published, MethodLimits())


class DeconvnetByHand:
    """Computes both layers' activations, and the way back to the input, in NumPy."""

    def __init__(self, model: keras.Model, image: np.ndarray) -> None:
        (self.k1, b1), (self.k2, b2) = (
            (kernel[0, 0], bias) for kernel, bias in (model.get_layer(n).get_weights() for n in ("first", "second"))
        )
        self.first = np.maximum(image @ self.k1 + b1, 0)
        self.pooled = self.first.reshape(2, 2, 2, 3, 5).max((1, 3))
        self.second = np.maximum(self.pooled @ self.k2 + b2, 0)

    def back(self, seed: np.ndarray, rule: str) -> np.ndarray:
        """Return the projection (4, 6, 3) of a seed (2, 2, 4).

        The seed goes back through the second ReLU and its kernel, the switches of max-pooling, and the first ReLU and its kernel.
        """
        g = self._relu(seed, self.second, rule) @ self.k2.T
        unpooled = np.zeros_like(self.first)
        for y, x, k in np.ndindex(2, 2, 5):
            window = self.first[2 * y : 2 * y + 2, 3 * x : 3 * x + 3, k]
            dy, dx = np.unravel_index(window.argmax(), window.shape)
            unpooled[2 * y + dy, 3 * x + dx, k] = g[y, x, k]
        return self._relu(unpooled, self.first, rule) @ self.k1.T

    @staticmethod
    def _relu(g: np.ndarray, activation: np.ndarray, rule: str) -> np.ndarray:
        return {"deconv": np.maximum(g, 0), "guided": np.maximum(g, 0) * (activation > 0), "gradient": g * (activation > 0)}[rule]


@pytest.mark.parametrize("rule", ["deconv", "guided", "gradient"])
@pytest.mark.parametrize("keep", ["neuron", "map"])
def test_projections_agree_with_those_worked_by_hand(rule: Any, keep: Any) -> None:
    probe = probe_of(pooled())
    x = photo_batch(probe.graph.model, 2)
    jobs = [
        resolved(probe, layer="second", channels=(3, 0, 2), keep=keep, rule=rule),
        resolved(probe, layer="second", keep=keep, rule=rule),
    ]
    for image, found, job in zip(x, deconvnet.run(probe, Inputs(x), jobs), jobs, strict=True):
        hand = DeconvnetByHand(probe.graph.model, image)
        strongest = int(hand.second.max((0, 1)).argmax())
        channels = job.channels if isinstance(job.channels, tuple) else (strongest,)
        assert tuple(told.channel for told in found.projections) == channels
        for at, channel in enumerate(channels):
            one, seed = hand.second[..., channel], np.zeros((2, 2, 4))
            place = np.unravel_index(one.argmax(), one.shape)
            if keep == "map":
                seed[..., channel] = one
                assert found.projections[at].position is None
            else:
                seed[(*place, channel)] = one[place]
                assert found.projections[at].position == place
            assert found.projections[at].value == pytest.approx(one.max(), rel=1e-5)
            np.testing.assert_allclose(found.values[at], hand.back(seed, rule), atol=1e-5)
            np.testing.assert_allclose(found.maps[at], np.abs(hand.back(seed, rule)).max(-1), atol=1e-5)
        assert found.values.any()


def test_a_neuron_at_a_given_position() -> None:
    probe = probe_of(pooled())
    x = photo_batch(probe.graph.model, 1)
    hand = DeconvnetByHand(probe.graph.model, x[0])
    (found,) = deconvnet.run(probe, Inputs(x), [resolved(probe, layer="second", channels=(1,), position=(1, 0))])
    seed = np.zeros((2, 2, 4))
    seed[1, 0, 1] = hand.second[1, 0, 1]
    np.testing.assert_allclose(found.values[0], hand.back(seed, "deconv"), atol=1e-5)
    assert found.projections[0].position == (1, 0)
    assert not found.values[0, :2].any()
    assert not found.values[0, :, 3:].any()


def test_channels_are_ordered_by_their_strongest_activation() -> None:
    activations = np.zeros((2, 3, 5), np.float32)
    activations[0, 0] = (1, 6, 3, 6, 6)
    activations[1, 2] = (2, 0, 0, 4, 0)
    assert deconvnet.strongest(activations, 5) == [3, 1, 4, 2, 0]
    assert deconvnet.strongest(-np.ones((1, 1, 3), np.float32), 2) == [0, 1]


def test_many_channels_of_several_jobs_need_several_passes() -> None:
    probe = probe_of(ZOO["functional"]())
    x = photo_batch(probe.graph.model, 2)
    jobs = [resolved(probe, layer="conv2", channels=8), resolved(probe, layer="conv1", channels=6).changed(layer="conv2")]
    together = deconvnet.run(probe, Inputs(x), jobs)
    for row, job in enumerate(jobs):
        (alone,) = deconvnet.run(probe, Inputs(x[row : row + 1]), [job])
        assert alone.projections == together[row].projections
        np.testing.assert_allclose(alone.values, together[row].values, atol=1e-6)
    assert [len(found.values) for found in together] == [8, 6]
    assert probe.traces == 2


def draw(probe: KerasProbe, x: np.ndarray, **params: Any) -> Output:
    job = resolved(probe, **params)
    (found,) = deconvnet.run(probe, Inputs(x), [job])
    return deconvnet.draw(found, photo_of(20, 30), job)


def test_one_channel_is_one_picture_and_several_are_tiles() -> None:
    probe = probe_of(pooled())
    x = photo_batch(probe.graph.model, 1)
    shapes = {channels: [each.shape for each in draw(probe, x, channels=channels).artifacts] for channels in (1, (1,), 3)}
    assert shapes[1] == [(20, 30, 3), (20, 30, 3), (4, 6, 3), (4, 6)]
    assert shapes[1,] == [(20, 30, 3), (20, 30, 3), (1, 4, 6, 3), (1, 4, 6)]
    assert [shape[0] for shape in shapes[3][2:]] == [3, 3]
    assert shapes[3][0][1] == 2 * 30 + 4
    facts = draw(probe, x, channels=3).facts
    assert isinstance(facts, DeconvnetFacts)
    assert (facts.layer, len(facts.projections)) == ("second", 3)


def test_a_dead_channel_gives_a_warning() -> None:
    model = pooled()
    model.get_layer("second").bias.assign([0.0, -100.0, 0.0, 0.0])
    output = draw(probe_of(model), photo_batch(model, 1), layer="second", channels=(1,))
    (warning,) = output.warnings
    assert warning == "Channel 1 of layer 'second': the map is zero everywhere, because its activation is 0; it is drawn as zeros."
    (picture,) = (each.image for each in output.artifacts if each.name == "picture" and isinstance(each, Picture))
    assert (picture == 128).all()


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"layer": "second", "channels": (0, 4)}, errors.UnknownChannel, "has 4 channels: indices are 0 to 3, but got 4"),
        ({"layer": "second", "channels": 5}, errors.UnknownChannel, "has 4 channels, so 5 of them cannot be shown"),
        ({"layer": "mean"}, errors.UnsuitableLayer, "has no spatial map"),
        ({"layer": "third"}, errors.UnknownLayer, "has no layer 'third'"),
        ({"layer": "second", "position": (0, 2)}, errors.InvalidParameters, r"map of 2 × 2, so it has no position \(y 0, x 2\)"),
    ],
)
def test_layers_channels_and_positions_that_do_not_exist_are_refused(params: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        resolved(probe_of(pooled()), **params)


def test_a_position_outside_a_map_is_refused_when_the_image_gives_the_size() -> None:
    probe = probe_of(ZOO["any_size"]())
    job = resolved(probe, layer="conv2", position=(3, 8))
    with pytest.raises(errors.InvalidParameters, match=r"map of 4 × 8, so it has no position \(y 3, x 8\)"):
        deconvnet.run(probe, Inputs(photo_batch(probe.graph.model, 1)), [job])


def test_a_position_needs_a_neuron_to_keep() -> None:
    with pytest.raises(ValueError, match="leave it out if keep is `map`"):
        Deconvnet(keep="map", position=(0, 0))


def test_a_layer_of_tokens_counts_as_the_map_that_they_form() -> None:
    """The tokens are a class token and patches of 2 × 2 pixels. A dense layer with a ReLU works on each token."""
    photo = keras.Input((4, 6, 3), name="photo")
    x = layers.Conv2D(3, 2, strides=2, name="patches")(photo)
    x = layers.Reshape((6, 3), name="tokens")(x)
    x = layers.Dense(4, activation="relu", name="each")(layers.ZeroPadding1D((1, 0), name="class_token")(x))
    probe = probe_of(seeded(keras.Model(photo, layers.Dense(2, name="scores")(layers.Flatten(name="flat")(x)))))
    grid = probe.description.layer_at("each").token_grid
    assert grid is not None
    assert (grid.height, grid.width, grid.before) == (2, 3, 1)
    x = photo_batch(probe.graph.model, 1)
    activations = probe.forward(x, ["each"]).activations["each"][0, 1:].reshape(2, 3, 4)
    channel = int(activations.max((0, 1)).argmax())
    (found,) = deconvnet.run(probe, Inputs(x), [resolved(probe, layer="each")])
    y, column = np.unravel_index(activations[..., channel].argmax(), (2, 3))
    assert (found.projections[0].channel, found.projections[0].position) == (channel, (y, column))
    kernel = probe.graph.model.get_layer("patches").kernel.numpy()
    back = activations[y, column, channel] * probe.graph.model.get_layer("each").kernel.numpy()[:, channel]
    expected = np.zeros((4, 6, 3))
    expected[2 * y : 2 * y + 2, 2 * column : 2 * column + 2] = kernel @ back
    np.testing.assert_allclose(found.values[0], expected, atol=1e-5)
