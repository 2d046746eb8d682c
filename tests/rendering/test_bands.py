"""Arrays are shown by their bands: worked by hand."""

from __future__ import annotations

import numpy as np

from rendering.bands import default_bands, shown_bands


def test_bytes_are_shown_as_they_are() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(shown_bands(array, (3, 0, 2)), array[..., [3, 0, 2]])
    np.testing.assert_array_equal(shown_bands(array, (1,)), np.repeat(array[..., 1:2], 3, axis=-1))
    np.testing.assert_array_equal(shown_bands(array[..., 0]), np.repeat(array[..., :1], 3, axis=-1))


def test_each_band_of_other_numbers_is_stretched_by_its_own_percentiles() -> None:
    """0 … 100 has its 2nd percentile at 2 and its 98th at 98: 50 becomes the middle, and 26 becomes a quarter of 255."""
    ramp = np.arange(101, dtype=np.uint16).reshape(101, 1)
    picture = shown_bands(np.stack([ramp * 600, ramp, np.full_like(ramp, 7)], axis=-1))
    for channel in (0, 1):
        assert picture[[0, 2, 26, 50, 98, 100], 0, channel].tolist() == [0, 0, 64, 128, 255, 255]
    assert not picture[..., 2].any()


def test_a_band_with_one_bright_pixel_is_stretched_from_end_to_end() -> None:
    band = np.zeros((50, 3), np.float32)
    band[7, 1] = 0.25
    picture = shown_bands(band)
    assert picture[7, 1].tolist() == [255, 255, 255]
    assert picture.sum() == 3 * 255


def test_the_default_bands() -> None:
    assert [default_bands(channels) for channels in (1, 2, 3, 13)] == [(0,), (0,), (0, 1, 2), (0, 1, 2)]
