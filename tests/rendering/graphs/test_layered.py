from __future__ import annotations

import pytest

from rendering.graphs.figure import Point
from rendering.graphs.item_order import in_order
from rendering.graphs.layered import ROW_GAP, FlatEdge, curve, layered


def ends(route: list[Point]) -> tuple[Point, Point]:
    return route[0], route[-1]


def test_a_chain_is_straight_and_its_rows_are_a_gap_apart() -> None:
    found = layered([(40, 20), (100, 30), (60, 10)], [FlatEdge(0, 1), FlatEdge(1, 2)])
    assert found.middles == [(50, 10), (50, 20 + ROW_GAP + 15), (50, 50 + 2 * ROW_GAP + 5)]
    assert found.size == (100, 60 + 2 * ROW_GAP)
    assert ends(found.routes[0]) == ((50, 20), (50, 20 + ROW_GAP))
    assert {across for route in found.routes for across, _ in route} == {50}


def test_a_long_edge_goes_around_the_boxes_between_its_ends() -> None:
    found = layered([(40, 20), (100, 30), (40, 10)], [FlatEdge(0, 1), FlatEdge(1, 2), FlatEdge(0, 2)])
    route = found.routes[2]
    right = found.middles[1][0] + 50
    low, high = found.middles[1][1] - 15, found.middles[1][1] + 15
    beside = [point for point in route if low <= point[1] <= high]
    assert len(beside) >= 2
    assert all(across > right for across, _ in beside)
    assert route[0][1] == 20
    assert abs(route[0][0] - found.middles[0][0]) <= 20
    assert route[-1][1] == found.middles[2][1] - 5


def test_an_edge_meets_a_port_where_the_port_is() -> None:
    found = layered([(40, 20), (100, 30)], [FlatEdge(0, 1, enters=-30.0)])
    assert found.routes[0][-1] == (found.middles[1][0] - 30, found.middles[1][1] - 15)


def test_ports_have_the_first_and_the_last_row_to_themselves() -> None:
    found = layered([(0, 0), (30, 10), (30, 10), (0, 0)], [FlatEdge(0, 2), FlatEdge(1, 3)], first=[0], last=[3])
    assert found.middles[0][1] == 0
    assert found.middles[1][1] > 0
    assert found.middles[3][1] == found.size[1]


def test_curves_pass_their_waypoints_along_the_edges() -> None:
    assert curve([(0, 0), (0, 10)]) == [(0, 0), (0, 5), (0, 5), (0, 10)]
    assert curve([(0, 0), (8, 10), (8, 20)])[:4] == [(0, 0), (0, 5), (8, 5), (8, 10)]


@pytest.mark.parametrize(
    ("edges", "order"),
    [([], [3, 1, 2]), ([(1, 3)], [1, 3, 2]), ([(2, 1), (1, 3)], [2, 1, 3]), ([(3, 1), (1, 3), (2, 2)], [2, 3, 1])],
)
def test_items_are_put_into_order(edges: list[tuple[int, int]], order: list[int]) -> None:
    assert in_order([3, 1, 2], edges) == order
