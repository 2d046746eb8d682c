"""Rankings worked by hand, on maps 3 high and 4 wide."""

from __future__ import annotations

import numpy as np

from workers.methods.inspection.strongest_positions import PositionRanking, StrongPosition, strongest

FIRST = np.array([[0, 5, 4, 0], [0, 0, 0, 0], [3, 0, 0, 2]], np.float32)
SECOND = np.array([[0, 0, 0, 1], [0, 5, 0, 0], [0, 0, 0, 4.5]], np.float32)
ALL = np.ones((2, 3, 4), np.bool_)


def maps(*channels: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the maps (2, 3, 4, k) of two images from each channel's maps."""
    return np.stack([np.stack(pair) for pair in channels], axis=-1)


def test_one_an_image_of_equals_the_earlier_first() -> None:
    ranking = PositionRanking(2, 3, 1, (2, 2))
    both = maps((FIRST, SECOND), (SECOND, -FIRST))
    ranking.add(both, ALL)
    assert ranking.of(0) == (StrongPosition(0, 0, 1, 5), StrongPosition(1, 1, 1, 5))
    assert ranking.of(1) == (StrongPosition(0, 1, 1, 5), StrongPosition(1, 0, 0, 0))


def test_images_one_by_one_are_all_at_once() -> None:
    together, apart = PositionRanking(2, 3, 2, (2, 2)), PositionRanking(2, 3, 2, (2, 2))
    both = maps((FIRST, SECOND), (SECOND, -FIRST))
    together.add(both, ALL)
    for image in (0, 1):
        apart.add(both[image : image + 1], ALL[:1])
    for channel in (0, 1):
        assert together.of(channel) == apart.of(channel)


def test_several_of_an_image_lie_apart() -> None:
    """The 4 beside the 5 is too near. A distance in rows or in columns is enough."""
    values, places = strongest(FIRST[None, ..., None], 3, (2, 2))
    assert values[0, :, 0].tolist() == [5, 3, 2]
    assert places[0, :, 0].tolist() == [[0, 1], [2, 0], [2, 3]]
    values, places = strongest(FIRST[None, ..., None], 2, (1, 1))
    assert places[0, :, 0].tolist() == [[0, 1], [0, 2]]
    values, _ = strongest(FIRST[None, ..., None], 2, (3, 4))
    assert values[0, :, 0].tolist() == [5, -np.inf]


def test_what_is_lowest_excites_nothing() -> None:
    ranking = PositionRanking(2, 4, 3, (1, 1))
    ranking.add(maps((FIRST, SECOND), (np.zeros_like(FIRST), np.zeros_like(FIRST))), ALL)
    assert [place.value for place in ranking.of(0)] == [5, 5, 4.5, 4]
    assert ranking.of(1) == ()
    assert ranking.by_strength() == [0, 1]


def test_the_strongest_channel_comes_first() -> None:
    ranking = PositionRanking(3, 1, 1, (1, 1))
    nine = np.full_like(FIRST, 9)  # the same everywhere
    ranking.add(maps((FIRST, FIRST), (nine, nine), (FIRST + 1, SECOND)), ALL)
    assert ranking.by_strength() == [2, 0, 1]


def test_not_what_is_not_seen() -> None:
    seen = ALL.copy()
    seen[0, 0] = seen[1, 1] = False
    ranking = PositionRanking(1, 2, 1, (1, 1))
    ranking.add(maps((FIRST, SECOND)), seen)
    assert ranking.of(0) == (StrongPosition(1, 2, 3, 4.5), StrongPosition(0, 2, 0, 3))


def test_what_is_above_the_lowest_by_rounding_excites_nothing() -> None:
    ranking = PositionRanking(2, 1, 1, (1, 1))
    ranking.add(maps((FIRST, FIRST), (FIRST * np.float32(1e-7), SECOND * np.float32(1e-7))), ALL)
    assert (len(ranking.of(0)), ranking.of(1)) == (1, ())
