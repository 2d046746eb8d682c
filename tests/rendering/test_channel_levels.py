from __future__ import annotations

import numpy as np

from rendering.channel_levels import scale_all_channels, scale_each_channel


def test_scale_each_channel_by_hand() -> None:
    # Channel 0 is 0, 2, 4, 6, with μ = 3 and σ = √5. Channel 1 is constant. Channel 2 is 0 everywhere.
    activations = np.zeros((2, 2, 3), np.float32)
    activations[..., 0] = [[0, 2], [4, 6]]
    activations[..., 1] = 7
    levels = scale_each_channel(activations)
    expected = 128 + 64 * np.array([[-3, -1], [1, 3]]) / np.sqrt(5)  # 42.1, 99.4, 156.6, 213.9
    np.testing.assert_array_equal(levels[..., 0], expected.astype(np.uint8))
    np.testing.assert_array_equal(levels[..., 0], [[42, 99], [156, 213]])
    assert not levels[..., 1].any()
    assert not levels[..., 2].any()


def test_scale_each_channel_is_the_books_listing() -> None:
    """The expected levels come from Deep Learning with Python, listing 5.31. The ε of 1e-5 changes nothing at this scale."""
    activations = np.random.default_rng(3).gamma(2.0, 5.0, (5, 4, 6)).astype(np.float32)
    levels = scale_each_channel(activations)
    for channel in range(6):
        image = activations[..., channel].copy()
        image -= image.mean()
        image /= image.std()
        image *= 64
        image += 128
        book = np.clip(image, 0, 255).astype("uint8")
        assert np.abs(levels[..., channel].astype(int) - book).max() <= 1
        assert (levels[..., channel] == book).mean() > 0.9


def test_scale_each_channel_clips_both_ends() -> None:
    activations = np.zeros((10, 10, 2), np.float32)
    activations[0, 0] = [100, -100]
    levels = scale_each_channel(activations)
    assert levels[0, 0].tolist() == [255, 0]


def test_scale_each_channel_leaves_its_argument_alone() -> None:
    activations = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    before = activations.copy()
    scale_each_channel(activations)
    scale_all_channels(activations)
    np.testing.assert_array_equal(activations, before)


def test_scale_all_channels_by_hand() -> None:
    activations = np.array([[[-1.0, 0.0], [1.0, 3.0]]], np.float32)  # -1 becomes 0 and 3 becomes 255
    np.testing.assert_array_equal(scale_all_channels(activations), [[[0, 64], [128, 255]]])


def test_scale_all_channels_with_the_span_of_all_channels() -> None:
    activations = np.array([[[-1.0, 0.0], [1.0, 3.0]]], np.float32)
    np.testing.assert_array_equal(scale_all_channels(activations[..., :1], (-1.0, 3.0)), [[[0], [128]]])


def test_scale_all_channels_without_variation() -> None:
    assert not scale_all_channels(np.full((2, 3, 4), 5, np.float32)).any()
