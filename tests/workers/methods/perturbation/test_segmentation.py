"""Segments: the grid by hand, superpixels that follow colours, and images with covered segments."""

from __future__ import annotations

import numpy as np
import pytest

from schemas import errors
from schemas.limits import MethodLimits
from schemas.methods.perturbation.lime import Lime
from tests.workers.methods.support import published
from workers.methods.perturbation.segmentation import grid, segments_of, shown


def test_the_grid_by_hand() -> None:
    assert grid(5, 7, 6).tolist() == [[0, 0, 0, 1, 1, 2, 2]] * 3 + [[3, 3, 3, 4, 4, 5, 5]] * 2


@pytest.mark.parametrize(("height", "width", "segments"), [(3, 3, 256), (1, 9, 4), (200, 10, 48), (10, 200, 48), (224, 224, 50), (7, 5, 2)])
def test_a_grid_has_no_more_cells_than_asked_for_and_no_gaps(height: int, width: int, segments: int) -> None:
    found = grid(height, width, segments)
    numbers = np.unique(found)
    np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
    assert len(numbers) <= min(segments, height * width)
    assert len(numbers) > min(segments, height * width) / 2.5


def test_superpixels_follow_the_colours() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 23:] = (255, 80, 0)
    found = segments_of(image, Lime(segments=12))
    numbers = np.unique(found)
    np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
    assert 6 <= len(numbers) <= 20
    # no segment lies on both sides of the edge
    assert not set(np.unique(found[:, :23])) & set(np.unique(found[:, 23:]))


def test_covered_segments_show_the_cover() -> None:
    image, cover = np.full((2, 3, 1), 5, np.float32), np.zeros((2, 3, 1), np.float32)
    segments = np.array([[0, 0, 1], [2, 2, 1]], np.int32)
    found = shown(image, cover, segments, np.array([[True, False, True], [False, False, True]]))
    assert found[..., 0].tolist() == [[[5, 5, 0], [5, 5, 0]], [[0, 0, 0], [5, 5, 0]]]


def test_fewer_samples_than_segments_are_refused() -> None:
    with pytest.raises(errors.InvalidParameters, match="20 samples cannot tell 48 segments apart") as refused:
        Lime(samples=20).resolve(published(), MethodLimits())
    assert refused.value.allowed == "at least 48"
    with pytest.raises(errors.LimitExceeded, match="at most 100 covered images, got 1,000"):
        Lime().resolve(published(), MethodLimits(max_masks=100))
