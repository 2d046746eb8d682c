from __future__ import annotations

from rendering.graphs.row_order import ordered_rows


def test_two_edges_that_cross_are_uncrossed() -> None:
    graph = ordered_rows([0, 0, 1, 1], [(0, 3), (1, 2)])
    assert graph.rows in (((0, 1), (3, 2)), ((1, 0), (2, 3)))


def test_a_long_edge_passes_a_waypoint_in_each_row_between() -> None:
    graph = ordered_rows([0, 1, 2, 3], [(0, 1), (1, 2), (2, 3), (0, 3)])
    assert graph.chains == ((0, 1), (1, 2), (2, 3), (0, 4, 5, 3))
    assert graph.rows == ((0,), (1, 4), (2, 5), (3,))
    assert graph.count == 4


def test_two_chains_are_not_mixed() -> None:
    graph = ordered_rows([0, 1, 1, 2, 2, 3], [(0, 1), (0, 2), (1, 4), (2, 3), (3, 5), (4, 5)])
    first, second = graph.rows[1], graph.rows[2]
    assert [{1: 4, 2: 3}[node] for node in first] == list(second)
