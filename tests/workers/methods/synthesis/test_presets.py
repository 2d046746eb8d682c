"""Each preset against its published code, transcribed here for a tiny model and run from the same start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from schemas.limits import MethodLimits
from schemas.methods.synthesis.filters import Filters
from schemas.models import InputSpec, Layer, LayerKind, ModelDescription, Preprocessing, PublishedModel
from tests.zoo import seeded
from workers.contract.artifacts import Output, Picture
from workers.contract.inputs import Inputs
from workers.engine.ascent.parametrisations import starts
from workers.engine.probe import KerasProbe
from workers.methods.synthesis import filters
from workers.methods.synthesis.presets import RECIPES, Standardised, as_rgb, picture, units

CHANNELS = 70
CAFFE, TF, TORCH = (Preprocessing.named(mode) for mode in ("caffe", "tf", "torch"))


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Two convolutions, the second with 70 channels, of which some never answer."""
    photo = keras.Input((None, None, 3), name="photo")
    x = layers.Conv2D(5, 3, activation="relu", padding="same", name="conv1")(photo)
    return seeded(keras.Model(photo, layers.Conv2D(CHANNELS, 3, activation="relu", name="conv2")(x)))


def probe_of(model: keras.Model, preprocessing: Preprocessing) -> KerasProbe:
    convolution = Layer(
        path="conv2",
        type="Conv2D",
        kind=LayerKind.CONV,
        output_shape=(None, None, CHANNELS),
        parameters=0,
        channels=CHANNELS,
        receptive_field=None,
        inbound=("photo",),
        cam_able=False,
    )
    description = ModelDescription(
        name="tiny",
        source="file",
        input=InputSpec(name="photo", height=None, width=None, channels=3),
        preprocessing=preprocessing,
        classes=None,
        head="none",
        outputs=(),
        fingerprint="0" * 64,
        parameters=0,
        default_layer="conv2",
        layers=(convolution,),
    )
    return KerasProbe(model, PublishedModel(description=description, labels=(), digest="0"))


def result_of(probe: KerasProbe, params: Filters) -> tuple[filters.Synthesis, Output]:
    ascent = filters.run(probe, Inputs(np.zeros((0, 0, 0, 3), np.float32)), params)
    while True:
        try:
            next(ascent)
        except StopIteration as stop:
            return stop.value, filters.draw(stop.value, None, params)


def resolved(probe: KerasProbe, **params: Any) -> Filters:
    return Filters(**params).resolve(probe.published, MethodLimits())


def pictures(output: Output) -> dict[str, np.ndarray]:
    return {artifact.name: artifact.image for artifact in output.artifacts if isinstance(artifact, Picture)}


def unit_noise(preset: str, size: int, channel: int, seed: int = 0) -> np.ndarray:
    """U[0, 1) (1, size, size, 3) in double precision, such that the preset's start made of it is the one our ascent has."""
    noise = np.random.default_rng((seed, channel)).random((size, size, 3))
    start = RECIPES[preset].start
    np.testing.assert_array_equal(
        starts(start, (size, size, 3), seed, [channel])[0], (noise * (start.high - start.low) + start.low).astype(np.float32)
    )
    return noise[None]


def assert_same_picture(got: np.ndarray, expected: np.ndarray) -> None:
    """Equal but for a grey level where rounding down falls on another side: published code runs partly in double precision."""
    assert got.shape == expected.shape
    difference = np.abs(got.astype(int) - expected.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.02


# Deep Learning with Python, 1st ed., 5.4.2 (listings 5.32 to 5.39), with K.function and K.gradients as a tape.


def dlwp1_deprocess(x: np.ndarray) -> np.ndarray:
    x = x - x.mean()
    x = x / (x.std() + 1e-5)
    x = x * 0.1
    x = np.clip(x + 0.5, 0, 1)
    return np.clip(x * 255, 0, 255).astype("uint8")


def iterate(model: keras.Model, channel: int) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    extractor = keras.Model(model.inputs, model.get_layer("conv2").output)

    def loss_and_gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        image = tf.constant(x, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = tf.reduce_mean(extractor(image)[:, :, :, channel])
        gradient = tape.gradient(loss, image)
        gradient /= tf.sqrt(tf.reduce_mean(tf.square(gradient))) + 1e-5
        return float(loss), gradient.numpy()

    return loss_and_gradient


def dlwp1_pattern(model: keras.Model, channel: int, size: int) -> np.ndarray:
    step = iterate(model, channel)
    image = unit_noise("dlwp1", size, channel) * 20 + 128.0
    for _ in range(40):
        _, gradient = step(image)
        image += gradient * 1.0
    return image[0]


def test_dlwp1_alone_is_150_pixels(model: keras.Model) -> None:
    probe = probe_of(model, CAFFE)
    params = resolved(probe, preset="dlwp1", channels=[3])
    assert params.size == 150
    result, output = result_of(probe, params)
    expected = dlwp1_pattern(model, 3, 150)
    np.testing.assert_allclose(result.images[0], expected, rtol=2e-5, atol=5e-3)
    assert_same_picture(pictures(output)["channel_3"], dlwp1_deprocess(expected))


def test_dlwp1_grid_is_filled_by_columns(model: keras.Model) -> None:
    probe = probe_of(model, CAFFE)
    params = resolved(probe, preset="dlwp1", steps=2)
    assert (params.size, len(params.channels)) == (64, 64)
    result, output = result_of(probe, params)
    shown = pictures(output)
    size, margin = 64, 5
    expected = np.zeros((8 * size + 7 * margin, 8 * size + 7 * margin, 3), np.uint8)
    for i in range(8):
        for j in range(8):
            top, left = i * size + i * margin, j * size + j * margin
            expected[top : top + size, left : left + size] = shown[f"channel_{i + j * 8}"]
    np.testing.assert_array_equal(shown["grid"], expected)
    for channel in (0, 1, 8):
        if result.gradient_seen[channel]:
            assert_same_picture(shown[f"channel_{channel}"], dlwp1_deprocess(result.images[channel]))
    assert sum(result.gradient_seen) > 20


# Deep Learning with Python, 2nd ed., 9.4.2 (listings 9.14 to 9.18); keras.io's example differs in start and contrast.


def l2_ascent(model: keras.Model, channel: int, image: np.ndarray) -> tuple[float, np.ndarray]:
    extractor = keras.Model(inputs=model.input, outputs=model.get_layer("conv2").output)

    @tf.function
    def gradient_ascent_step(image: tf.Tensor, filter_index: tf.Tensor, learning_rate: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            activation = extractor(image)
            filter_activation = activation[:, 2:-2, 2:-2, filter_index]
            loss = tf.reduce_mean(filter_activation)
        grads = tape.gradient(loss, image)
        grads = tf.math.l2_normalize(grads)
        return loss, image + learning_rate * grads

    moved = tf.constant(image, tf.float32)
    loss = 0.0
    for _ in range(30):
        loss, moved = gradient_ascent_step(moved, tf.constant(channel), tf.constant(10.0))
    return float(loss), moved[0].numpy()


def dlwp2_deprocess(image: np.ndarray) -> np.ndarray:
    image = image - image.mean()
    image = image / image.std()
    image = image * 64
    image = image + 128
    image = np.clip(image, 0, 255).astype("uint8")
    return image[25:-25, 25:-25, :]


def keras_io_deprocess(img: np.ndarray) -> np.ndarray:
    img = img - img.mean()
    img = img / (img.std() + 1e-5)
    img = img * 0.15
    img = img[25:-25, 25:-25, :]
    img = img + 0.5
    img = np.clip(img, 0, 1)
    img = img * 255
    return np.clip(img, 0, 255).astype("uint8")


def test_dlwp2(model: keras.Model) -> None:
    probe = probe_of(model, TF)
    result, output = result_of(probe, resolved(probe, preset="dlwp2", channels=[2, 5]))
    assert result.images.shape == (2, 200, 200, 3)
    for index, channel in enumerate((2, 5)):
        loss, expected = l2_ascent(model, channel, unit_noise("dlwp2", 200, channel) * (0.6 - 0.4) + 0.4)
        np.testing.assert_allclose(result.images[index], expected, rtol=1e-4, atol=1e-3)
        assert result.values[index, -1] == pytest.approx(loss, rel=1e-4)
        assert_same_picture(pictures(output)[f"channel_{channel}"], dlwp2_deprocess(expected))


def test_keras_io(model: keras.Model) -> None:
    probe = probe_of(model, TF)
    result, output = result_of(probe, resolved(probe, preset="keras_io", channels=[2, 5]))
    assert result.images.shape == (2, 180, 180, 3)
    for index, channel in enumerate((2, 5)):
        loss, expected = l2_ascent(model, channel, (unit_noise("keras_io", 180, channel) - 0.5) * 0.25)
        np.testing.assert_allclose(result.images[index], expected, rtol=1e-4, atol=1e-3)
        assert result.values[index, -1] == pytest.approx(loss, rel=1e-4)
        assert_same_picture(pictures(output)[f"channel_{channel}"], keras_io_deprocess(expected))


@pytest.mark.parametrize(("preset", "tile"), [("dlwp2", 150), ("keras_io", 130)])
def test_both_editions_later_grids_are_filled_by_rows(model: keras.Model, preset: str, tile: int) -> None:
    probe = probe_of(model, TF)
    _, output = result_of(probe, resolved(probe, preset=preset, steps=1, channels=16))
    shown = pictures(output)
    expected = np.zeros((2 * tile + 5, 8 * tile + 7 * 5, 3), np.uint8)
    for i in range(2):
        for j in range(8):
            top, left = (tile + 5) * i, (tile + 5) * j
            expected[top : top + tile, left : left + tile] = shown[f"channel_{i * 8 + j}"]
    np.testing.assert_array_equal(shown["grid"], expected)


# "How convolutional neural networks see the world", blog.keras.io, and keras/examples/conv_filter_visualization.py.


def keras_blog(model: keras.Model, channels: int, size: int, n: int) -> tuple[list[int], np.ndarray]:
    kept = []
    for filter_index in range(channels):
        step = iterate(model, filter_index)
        image = (unit_noise("keras_blog", size, filter_index) - 0.5) * 20 + 128
        loss_value = 0.0
        for _ in range(20):
            loss_value, gradient = step(image)
            image += gradient * 1.0
            if loss_value <= 0.0:
                break
        if loss_value > 0:
            kept.append((dlwp1_deprocess(image[0]), loss_value, filter_index))
    kept.sort(key=lambda x: x[1], reverse=True)
    kept = kept[: n * n]
    margin = 5
    stitched = np.zeros((n * size + (n - 1) * margin, n * size + (n - 1) * margin, 3), np.uint8)
    for i in range(n):
        for j in range(n):
            stitched[(size + margin) * i : (size + margin) * i + size, (size + margin) * j : (size + margin) * j + size] = kept[i * n + j][
                0
            ]
    return [index for *_, index in kept], stitched


def test_keras_blog_keeps_the_best_of_those_that_respond(model: keras.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 16 channels for 200, 32 pixels for 128 and 2 × 2 for 8 × 8."""
    probe = probe_of(model, CAFFE)
    default = resolved(probe, preset="keras_blog")
    assert (default.size, default.steps, len(default.channels)) == (128, 20, CHANNELS)
    best_four = RECIPES["keras_blog"].__class__(**{**vars(RECIPES["keras_blog"]), "best": 4})
    monkeypatch.setattr(filters, "RECIPES", {**RECIPES, "keras_blog": best_four})
    _, output = result_of(probe, resolved(probe, preset="keras_blog", channels=16, size=32, columns=2))
    kept, stitched = keras_blog(model, 16, 32, 2)
    assert [image.channel for image in sorted(output.facts.images, key=lambda image: image.rank) if not image.dropped] == kept
    assert sum(image.dropped for image in output.facts.images) == 12
    assert 0 < sum(image.objective == 0 for image in output.facts.images) < 12
    assert_same_picture(pictures(output)["grid"], stitched)


# Models of another scale.


def test_units_are_the_sources_own_where_the_scale_is() -> None:
    for preset, own in (("dlwp1", CAFFE), ("keras_blog", CAFFE), ("dlwp1", Preprocessing()), ("dlwp2", TF), ("keras_io", TF)):
        assert units(RECIPES[preset], own) == ((1.0,), (0.0,))


def test_elsewhere_a_number_of_the_source_is_the_same_colour() -> None:
    """dlwp1's 128 of 0-255, keras_io's 0 of −1 to 1 and lucid's 0.5 of 0-1 are mid-grey to every model."""
    for preset, number in (("dlwp1", 127.5), ("keras_io", 0.0), ("lucid", 0.5)):
        for preprocessing in (TORCH, CAFFE if preset != "dlwp1" else TF, Preprocessing(mode="custom", mean=(0.0,), std=(255.0,))):
            scale, offset = units(RECIPES[preset], preprocessing)
            seen = np.array(scale) * number + np.array(offset)
            np.testing.assert_allclose(seen * np.array(preprocessing.std) + np.array(preprocessing.mean), 127.5)


def test_a_model_of_another_scale_sees_the_same_pictures(model: keras.Model) -> None:
    """The tiny model behind a rescaling, so that it takes 0-1 where it took −1 to 1: the same ascent, the same pictures."""
    photo = keras.Input((None, None, 3), name="photo")
    scaled = keras.Model(photo, model(layers.Rescaling(2.0, -1.0, name="rescale")(photo)))
    inner = scaled.layers[-1].name
    plain = result_of(probe_of(model, TF), resolved(probe_of(model, TF), preset="keras_io", channels=3, steps=5))[1]
    unit = Preprocessing(mode="custom", mean=(0.0,), std=(255.0,))
    probe = probe_of(scaled, unit)
    params = resolved(probe, preset="keras_io", channels=3, steps=5).changed(layer=f"{inner}/conv2")
    other = result_of(probe, params)[1]
    for name in ("channel_0", "channel_2"):
        assert_same_picture(pictures(other)[name], pictures(plain)[name])


def test_lucid_pixels_of_a_bgr_model_are_drawn_in_true_colours() -> None:
    """An image that is red to a caffe model is drawn red by `lucid`, and as the book draws it, as if it were RGB, by dlwp1."""
    red = np.zeros((4, 6, 3), np.float32)
    red[1:3, 2:4, 2] = 255
    bgr = red - np.float32([103.939, 116.779, 123.68])
    assert picture(RECIPES["lucid"], CAFFE, bgr)[1, 2].argmax() == 0
    assert picture(RECIPES["dlwp1"], CAFFE, red)[1, 2].argmax() == 2


def test_a_standardised_picture_by_hand() -> None:
    image = np.float32([[[0, 0, 0], [0, 0, 0]], [[0, 0, 0], [4, 4, 4]]])  # mean 1, σ √3
    drawn = Standardised(contrast=10, epsilon=0, level=100)(image)
    assert drawn[0, 0, 0] == 94  # 100 − 10/√3 = 94.2
    assert drawn[1, 1, 0] == 117  # 100 + 30/√3 = 117.3


def test_other_numbers_of_channels_become_grey() -> None:
    two = np.uint8([[[10, 30], [0, 255]]])
    np.testing.assert_array_equal(as_rgb(two), [[[20, 20, 20], [127, 127, 127]]])
    assert as_rgb(np.uint8([[[7]]])).tolist() == [[[7, 7, 7]]]
