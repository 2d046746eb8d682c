from __future__ import annotations

import numpy as np
import pytest

from workers.rendering import scaling


def test_per_channel_by_hand() -> None:
    # Channel 0: 0, 2, 4, 6: μ 3, σ √5; channel 1 constant; channel 2 all zero but one: clipped.
    activations = np.zeros((2, 2, 3), np.float32)
    activations[..., 0] = [[0, 2], [4, 6]]
    activations[..., 1] = 7
    levels = scaling.per_channel(activations)
    expected = 128 + 64 * np.array([[-3, -1], [1, 3]]) / np.sqrt(5)  # 42.1, 99.4, 156.6, 213.9
    np.testing.assert_array_equal(levels[..., 0], expected.astype(np.uint8))
    np.testing.assert_array_equal(levels[..., 0], [[42, 99], [156, 213]])
    assert not levels[..., 1].any()
    assert not levels[..., 2].any()


def test_per_channel_is_the_books_listing() -> None:
    """Deep Learning with Python, listing 5.31, a channel at a time; the ε of 1e-5 moves nothing at this scale."""
    activations = np.random.default_rng(3).gamma(2.0, 5.0, (5, 4, 6)).astype(np.float32)
    levels = scaling.per_channel(activations)
    for channel in range(6):
        image = activations[..., channel].copy()
        image -= image.mean()
        image /= image.std()
        image *= 64
        image += 128
        book = np.clip(image, 0, 255).astype("uint8")
        assert np.abs(levels[..., channel].astype(int) - book).max() <= 1
        assert (levels[..., channel] == book).mean() > 0.9


def test_per_channel_clips_both_ends() -> None:
    activations = np.zeros((10, 10, 2), np.float32)
    activations[0, 0] = [100, -100]
    levels = scaling.per_channel(activations)
    assert levels[0, 0].tolist() == [255, 0]


def test_per_channel_leaves_its_argument_alone() -> None:
    activations = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    before = activations.copy()
    scaling.per_channel(activations)
    scaling.over_layer(activations)
    np.testing.assert_array_equal(activations, before)


def test_over_layer_by_hand() -> None:
    activations = np.array([[[-1.0, 0.0], [1.0, 3.0]]], np.float32)  # (1, 2, 2): -1 → 0, 3 → 255
    np.testing.assert_array_equal(scaling.over_layer(activations), [[[0, 64], [128, 255]]])


def test_over_layer_with_the_span_of_all_channels() -> None:
    activations = np.array([[[-1.0, 0.0], [1.0, 3.0]]], np.float32)
    np.testing.assert_array_equal(scaling.over_layer(activations[..., :1], (-1.0, 3.0)), [[[0], [128]]])


def test_over_layer_without_variation() -> None:
    assert not scaling.over_layer(np.full((2, 3, 4), 5, np.float32)).any()


def test_heat_by_hand() -> None:
    np.testing.assert_allclose(scaling.heat(np.array([[-2, 0, 1], [4, 2, 0.5]], np.float32)), [[0, 0, 0.25], [1, 0.5, 0.125]])


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([[0, 0, 0]], "zero everywhere"),
        ([[2, 2, 2]], "the same everywhere"),
        ([[1, np.nan, 2]], "not finite"),
        ([[1, np.inf, 2]], "not finite"),
        ([[0, 0, 1e-30]], None),
    ],
)
def test_degenerate_maps(values: list[list[float]], why: str | None) -> None:
    array = np.array(values, np.float32)
    assert scaling.why_degenerate(array) == why
    heat = scaling.heat(array)
    assert np.isfinite(heat).all()
    assert heat.any() == (why is None)


def test_a_map_without_a_positive_value_is_cold() -> None:
    assert not scaling.heat(np.array([[-1, -2]], np.float32)).any()


def test_signed_keeps_its_zero() -> None:
    np.testing.assert_array_equal(scaling.signed(np.array([[-4, 1, 0], [2, 0, 0]], np.float32)), [[-1, 0.25, 0], [0.5, 0, 0]])


@pytest.mark.parametrize("value", [0, -3, np.nan])
def test_signed_makes_nothing_of_a_degenerate_map(value: float) -> None:
    np.testing.assert_array_equal(scaling.signed(np.full((2, 3), value, np.float32)), np.zeros((2, 3)))
