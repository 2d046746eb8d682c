from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from schemas.models import Preprocessing
from workers.contract.synthesis import Start
from workers.engine.ascent.natural_spectrum import CONTRAST, DECAY_POWER, magnitudes
from workers.engine.ascent.optimizers import adam
from workers.engine.ascent.parametrisations import Fourier, Phase, Pixel, colour_matrix, preprocess, start_values


def fourier_by_hand(z: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return sigmoid(C·irfft2(s·z)/4) of one image, z (3, H, W // 2 + 1) complex, with the inverse DFT written out as a sum."""
    fy = np.array([k / height if k <= (height - 1) // 2 else (k - height) / height for k in range(height)])
    fx = np.arange(width // 2 + 1) / width
    f = np.sqrt(fy[:, None] ** 2 + fx[None, :] ** 2)
    s = np.sqrt(height * width) / np.maximum(f, 1 / max(height, width))
    planes = np.zeros((3, height, width))
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    for c in range(3):
        for u in range(height):
            for v in range(width // 2 + 1):
                wave = s[u, v] * z[c, u, v] * np.exp(2j * np.pi * (u * y / height + v * x / width))
                # In a real image, column 0 and (for an even width) column W / 2 mirror themselves; the others count twice.
                twice = 1 if v == 0 or 2 * v == width else 2
                planes[c] += twice * wave.real
    planes /= height * width * 4
    directions = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
    matrix = directions / np.sqrt((directions**2).sum(axis=0)).max()
    return 1 / (1 + np.exp(-np.einsum("ck,khw->hwc", matrix, planes)))


@pytest.mark.parametrize("size", [(6, 8), (5, 7), (7, 4), (4, 9)])
def test_fourier_equals_its_formula(size: tuple[int, int]) -> None:
    height, width = size
    fourier = Fourier(size, 3, Preprocessing())
    z = np.random.default_rng(1).normal(size=(2, *fourier.shape)).astype(np.float32)
    images = fourier.image(tf.constant(z)).numpy()
    expected = np.stack([fourier_by_hand(one[..., 0] + 1j * one[..., 1], height, width) for one in z])
    np.testing.assert_allclose(images, expected, atol=2e-6)
    assert expected.std() > 0.05  # the images are not a uniform grey


def test_a_lone_zero_frequency_tints_the_whole_image_by_the_first_colour_direction() -> None:
    fourier = Fourier((4, 6), 3, Preprocessing())
    z = np.zeros((1, *fourier.shape), np.float32)
    z[0, 0, 0, 0, 0] = 1.0
    # s(0) is √24·6, so the plane is √24·6/24/4 everywhere; the first column of C is (.26, .27, .27)/√(.26² + 2·.27²).
    plane = np.sqrt(24) * 6 / 24 / 4
    colour = np.array([0.26, 0.27, 0.27]) / np.sqrt(0.26**2 + 2 * 0.27**2)
    expected = 1 / (1 + np.exp(-plane * colour))
    np.testing.assert_allclose(fourier.image(tf.constant(z))[0], np.broadcast_to(expected, (4, 6, 3)), atol=1e-6)


def test_the_gradient_of_the_spectrum_is_that_of_finite_differences() -> None:
    fourier = Fourier((5, 6), 3, Preprocessing())
    random = np.random.default_rng(2)
    z = random.normal(size=(1, *fourier.shape)).astype(np.float32)
    weights = random.normal(size=(1, 5, 6, 3)).astype(np.float32)
    variable = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = tf.reduce_sum(fourier.image(variable) * weights)
    gradient = tape.gradient(value, variable).numpy()
    for index in [(0, 0, 0, 0, 0), (0, 1, 2, 1, 0), (0, 2, 4, 2, 1), (0, 0, 1, 3, 0)]:
        step = np.zeros_like(z)
        step[index] = 1e-2
        above, below = (float(tf.reduce_sum(fourier.image(tf.constant(z + sign * step)) * weights)) for sign in (1, -1))
        assert gradient[index] == pytest.approx((above - below) / 2e-2, abs=2e-3)


def test_a_spectrum_can_fit_a_photo() -> None:
    """300 steps of Adam on the squared error fit two coloured discs on a gradient, 24 × 31."""
    y, x = np.mgrid[0:24, 0:31]
    photo = np.stack([0.3 + 0.4 * x / 31, 0.5 + 0 * x, 0.7 - 0.4 * y / 24], axis=-1).astype(np.float32)
    photo[(y - 8) ** 2 + (x - 9) ** 2 < 25] = (0.9, 0.2, 0.1)
    photo[(y - 15) ** 2 + (x - 22) ** 2 < 30] = (0.1, 0.3, 0.8)
    fourier = Fourier((24, 31), 3, Preprocessing())

    @tf.function
    def step(variable: tf.Tensor, moments: tuple[tf.Tensor, tf.Tensor], number: tf.Tensor) -> tuple:
        with tf.GradientTape() as tape:
            tape.watch(variable)
            error = tf.reduce_mean(tf.square(fourier.image(variable) - photo))
        variable, moments = adam(variable, -tape.gradient(error, variable), moments, number, 0.05)
        return variable, moments, error

    variable = tf.constant(start_values(Start("normal", sigma=0.01), fourier.shape, 0, [0]))
    moments = (tf.zeros_like(variable), tf.zeros_like(variable))
    errors = []
    for number in range(300):
        variable, moments, error = step(variable, moments, tf.constant(number))
        errors.append(float(error))
    assert errors[0] > 0.03
    assert errors[-1] < 3e-4


def test_preprocessing_is_that_of_the_photo() -> None:
    image = np.array([[[[0.2, 0.4, 1.0]]]], np.float32)
    caffe = Preprocessing.named("caffe")
    np.testing.assert_allclose(preprocess(image, caffe)[0, 0, 0], [255 - 103.939, 102 - 116.779, 51 - 123.68], rtol=1e-5)
    np.testing.assert_allclose(preprocess(image, Preprocessing.named("tf"))[0, 0, 0], [-0.6, -0.2, 1.0], atol=1e-6)


def test_a_grey_model_gets_one_spectrum_and_three_equal_channels_where_it_takes_three() -> None:
    grey = Preprocessing(order="gray", mean=(127.5,), std=(127.5,), mode="custom")
    three = Fourier((5, 4), 3, grey)
    assert three.shape == (1, 5, 3, 2)
    z = tf.constant(np.random.default_rng(0).normal(size=(2, *three.shape)).astype(np.float32))
    x = three.model_input(three.image(z)).numpy()
    assert x.shape == (2, 5, 4, 3)
    assert np.ptp(x, axis=3).max() == 0
    assert x.std() > 0.05
    assert Fourier((5, 4), 1, Preprocessing()).shape == (1, 5, 3, 2)


def test_pixels_are_seen_in_the_units_given_channel_by_channel() -> None:
    pixel = Pixel((1, 2), 3, np.float32([2, 3, 4]), np.float32([10, 20, 30]))
    image = np.float32([[[[1, 1, 1], [0, 2, -1]]]])
    np.testing.assert_array_equal(pixel.model_input(pixel.image(image)), [[[[12, 23, 34], [10, 26, 26]]]])


def test_an_images_start_depends_on_the_seed_and_its_own_key_alone() -> None:
    uniform = Start("uniform", 128, 148)
    batch = start_values(uniform, (3, 2, 3), 5, [7, 2, 9])
    np.testing.assert_array_equal(batch[1], start_values(uniform, (3, 2, 3), 5, [2])[0])
    assert not np.array_equal(batch[0], batch[1])
    assert not np.array_equal(batch, start_values(uniform, (3, 2, 3), 6, [7, 2, 9]))
    many = start_values(uniform, (60, 50, 3), 0, [0])
    assert many.dtype == np.float32
    assert many.min() >= 128
    assert many.max() <= 148
    assert many.mean() == pytest.approx(138, abs=0.3)
    assert many.std() == pytest.approx(20 / np.sqrt(12), rel=0.02)
    assert start_values(Start("normal", sigma=0.5), (60, 50, 3), 0, [0]).std() == pytest.approx(0.5, rel=0.03)


SIZES = [(6, 8), (5, 7), (7, 4), (4, 9)]


def phases(phase: Phase, n: int = 2) -> np.ndarray:
    return start_values(Start("uniform", -np.pi, np.pi), phase.shape, 1, range(n))


def planes_by_hand(phase: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return Σ m·cos(2π(uy/H + vx/W) + θ)/(HW) for the phases (3, H, W // 2 + 1) of one image, summed wave by wave."""
    magnitude = magnitudes((height, width), 3).astype(float)
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    planes = np.zeros((3, height, width))
    for c in range(3):
        for u in range(height):
            for v in range(width // 2 + 1):
                own_mirror = v == 0 or 2 * v == width
                angle = phase[c, u, v] - phase[c, -u % height, v] if own_mirror else phase[c, u, v]
                wave = magnitude[c, u, v] * np.cos(2 * np.pi * (u * y / height + v * x / width) + angle)
                planes[c] += wave * (1 if own_mirror else 2)
    return planes / (height * width)


@pytest.mark.parametrize("size", SIZES)
def test_phases_equal_their_formula(size: tuple[int, int]) -> None:
    phase = Phase(size, 3, Preprocessing())
    variable = phases(phase)
    assert variable.shape == (2, 3, size[0], size[1] // 2 + 1)
    planes = np.stack([planes_by_hand(one, *size) for one in variable])
    np.testing.assert_allclose(phase.unbounded(tf.constant(variable)), planes, atol=2e-5)
    expected = 1 / (1 + np.exp(-np.einsum("nkhw,ck->nhwc", planes, colour_matrix())))
    np.testing.assert_allclose(phase.image(tf.constant(variable)), expected, atol=1e-5)
    assert expected.std() > 0.1


@pytest.mark.parametrize("size", [*SIZES, (64, 64), (31, 46)])
def test_any_phases_have_the_same_magnitudes_mean_and_contrast(size: tuple[int, int]) -> None:
    phase = Phase(size, 3, Preprocessing())
    planes = phase.unbounded(tf.constant(phases(phase, 3))).numpy().astype(float)
    magnitude = magnitudes(size, 3)
    np.testing.assert_allclose(np.abs(np.fft.rfft2(planes)), np.broadcast_to(magnitude, (3, *magnitude.shape)), atol=1e-4 * magnitude.max())
    np.testing.assert_allclose(planes.mean(axis=(2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(np.sqrt((planes**2).mean(axis=(1, 2, 3))), CONTRAST, rtol=1e-4)
    assert np.abs(planes[0] - planes[1]).max() > 0.5


def test_magnitudes_follow_the_formula() -> None:
    square = magnitudes((32, 32), 3).astype(float)
    for c in range(3):
        assert square[c, 0, 2] / square[c, 0, 1] == pytest.approx(2**-DECAY_POWER)
        assert square[c, 3, 4] / square[c, 0, 1] == pytest.approx(5**-DECAY_POWER)
        assert square[c, -3, 4] == pytest.approx(square[c, 3, 4])
        assert square[c, 0, 0] == 0
    np.testing.assert_allclose(square[:, 1, 1] / square[1, 1, 1], [0.95, 1.0, 0.85], rtol=1e-5)
    long = magnitudes((20, 40), 1).astype(float)  # a wave along the short side has twice the frequency, in cycles per pixel
    assert long[0, 1, 0] / long[0, 0, 2] == pytest.approx(1)
    grey = Phase((20, 40), 1, Preprocessing())
    assert grey.unbounded(tf.constant(phases(grey))).numpy().std() == pytest.approx(CONTRAST / np.sqrt(3), rel=1e-3)


def test_the_gradient_of_phases_is_that_of_finite_differences() -> None:
    phase = Phase((5, 6), 3, Preprocessing())
    variable = phases(phase, 1)
    weights = np.random.default_rng(2).normal(size=(1, 5, 6, 3)).astype(np.float32)
    given = tf.constant(variable)
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = tf.reduce_sum(phase.image(given) * weights)
    gradient = tape.gradient(value, given).numpy()
    for index in [(0, 0, 1, 0), (0, 1, 2, 1), (0, 2, 4, 2), (0, 0, 1, 3)]:
        step = np.zeros_like(variable)
        step[index] = 1e-2
        above, below = (float(tf.reduce_sum(phase.image(tf.constant(variable + sign * step)) * weights)) for sign in (1, -1))
        assert gradient[index] == pytest.approx((above - below) / 2e-2, abs=2e-3)
        assert abs(gradient[index]) > 3e-3
    assert np.abs(gradient[0, :, 0, 0]).max() == 0  # the phase of the mean has no effect


def test_phases_of_a_grey_model() -> None:
    three = Phase((5, 4), 3, Preprocessing(order="gray", mean=(127.5,), std=(127.5,), mode="custom"))
    assert three.shape == (1, 5, 3)
    x = three.model_input(three.image(tf.constant(phases(three)))).numpy()
    assert x.shape == (2, 5, 4, 3)
    assert np.ptp(x, axis=3).max() == 0
    assert x.std() > 0.2
    one = Phase((5, 4), 1, Preprocessing(mean=(127.5,), std=(127.5,)))
    np.testing.assert_array_equal(one.model_input(one.image(tf.constant(phases(one)))), x[..., :1])
