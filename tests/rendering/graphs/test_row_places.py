from __future__ import annotations

import pytest

from rendering.graphs.row_order import ordered_rows
from rendering.graphs.row_places import apart, places, weighted_median


def test_those_that_have_room_stand_where_they_want() -> None:
    assert apart([0, 10, 30], [5, 5], [1, 1, 1]) == [0, 10, 30]


def test_those_that_are_too_near_move_apart_by_as_little_as_possible() -> None:
    assert apart([10, 10], [6], [1, 1]) == [7, 13]
    assert apart([10, 10], [6], [3, 1]) == [8.5, 14.5]  # the squares 3·1.5² + 4.5² are the least
    assert apart([0, 0, 0], [4, 4], [1, 1, 1]) == [-4, 0, 4]
    assert apart([10, 0], [4], [1, 1]) == [3, 7]  # the order stays


@pytest.mark.parametrize(
    ("values", "median"),
    [([(5, 1)], 5), ([(1, 1), (3, 1)], 2), ([(1, 4), (9, 2)], 1), ([(9, 2), (1, 4), (2, 2)], 1.5), ([(1, 1), (2, 1), (9, 1)], 2)],
)
def test_a_weighted_median(values: list[tuple[float, float]], median: float) -> None:
    assert weighted_median(values) == median


def test_a_chain_beside_a_long_edge_is_straight() -> None:
    graph = ordered_rows([0, 1, 2, 3], [(0, 1), (1, 2), (2, 3), (0, 3)])
    found = places(graph, [20, 60, 40, 20, 8, 8], 10)
    assert found[:4] == pytest.approx([30, 30, 30, 30], abs=0.01)  # half of the widest box
    assert found[4:] == pytest.approx([30 + 30 + 10 + 4] * 2, abs=0.01)


def test_a_node_that_yields_moves_away_from_one_that_does_not() -> None:
    graph = ordered_rows([0, 1, 1, 2], [(0, 1), (1, 3), (2, 3)])
    assert places(graph, [20, 20, 20, 20], 10, yielding=[2]) == pytest.approx([10, 10, 40, 10], abs=0.1)
