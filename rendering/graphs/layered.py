"""Lay out a graph without frames in rows: sizes and edges in, places and curves out.

Places are (across, along): `along` grows in the direction of the edges, and `across` from the left to the right of a row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rendering.graphs.depths import depths
from rendering.graphs.figure import Point
from rendering.graphs.row_order import RowGraph, ordered_rows
from rendering.graphs.row_places import places

ROW_GAP, BOX_GAP = 34.0, 28.0  # pixels: between two rows, and between two boxes of a row
STEEPNESS = 0.1  # the gap between two rows grows by this share of the widest step across it, up to MOST_GROWTH
MOST_GROWTH = 60.0  # pixels
WAYPOINT_WIDTH = 8.0  # pixels
CORNER = 14.0  # pixels; an edge meets a box not nearer to its corners


@dataclass(frozen=True)
class FlatEdge:
    """An edge from one item to an item of a higher number.

    Attributes:
        source: The number of the item that is read.
        target: The number of the item that reads it.
        leaves: The place across, from the item's middle, where the edge leaves its source. None means that any place will do.
        enters: The same for the target.
    """

    source: int
    target: int
    leaves: float | None = None
    enters: float | None = None


@dataclass(frozen=True)
class Layered:
    """The middle of each item, the Bézier curves of each edge (3n + 1 points), and the size of the whole, all as (across, along)."""

    middles: list[Point]
    routes: list[list[Point]]
    size: Point


def layered(
    sizes: Sequence[Point],
    edges: Sequence[FlatEdge],
    *,
    first: Collection[int] = (),
    last: Collection[int] = (),
    yielding: Collection[int] = (),
) -> Layered:
    """Lay out items in rows.

    Args:
        sizes: The size of each item. Items are in topological order.
        edges: The edges between them.
        first: Items that stand in the first row, with nothing else.
        last: Items that stand in the last row, with nothing else.
        yielding: Items that give way to others, so that chains of the others are straight.
    """
    pairs = [(edge.source, edge.target) for edge in edges]
    row_of = _rows(len(sizes), pairs, first, last)
    graph = ordered_rows(row_of, pairs)
    widths = [size[0] for size in sizes] + [WAYPOINT_WIDTH] * (sum(map(len, graph.rows)) - len(sizes))
    across = places(graph, widths, BOX_GAP, yielding)
    spans = _spans(graph, across, [size[1] for size in sizes])
    heights = [(spans[row][0] + spans[row][1]) / 2 for row in row_of]
    items = _Items(sizes, across, heights)
    routes = [
        items.route(edge, chain, spans[row_of[edge.source] : row_of[edge.target] + 1])
        for edge, chain in zip(edges, graph.chains, strict=True)
    ]
    width = max((place + width / 2 for place, width in zip(across, widths, strict=True)), default=0.0)
    return Layered(list(zip(across[: len(sizes)], heights, strict=True)), routes, (width, spans[-1][1] if spans else 0.0))


def curve(waypoints: Sequence[Point]) -> list[Point]:
    """Return Bézier curves through waypoints, each of which is passed along the direction of the edges."""
    points = [waypoints[0]]
    for (across, along), (to_across, to_along) in pairwise(waypoints):
        half = (to_along - along) / 2
        points += [(across, along + half), (to_across, to_along - half), (to_across, to_along)]
    return points


def _rows(count: int, edges: Sequence[tuple[int, int]], first: Collection[int], last: Collection[int]) -> list[int]:
    inner = [item for item in range(count) if item not in first and item not in last]
    number = {item: place for place, item in enumerate(inner)}
    found = depths(len(inner), [(number[source], number[target]) for source, target in edges if source in number and target in number])
    start = 1 if first else 0
    end = start + max(found, default=-1) + 1
    return [0 if item in first else end if item in last else start + found[number[item]] for item in range(count)]


def _spans(graph: RowGraph, across: Sequence[float], heights: Sequence[float]) -> list[tuple[float, float]]:
    """Return the beginning and the end of each row along the edges."""
    steps = [0.0] * len(graph.rows)
    row_of = {node: number for number, row in enumerate(graph.rows) for node in row}
    for chain in graph.chains:
        for upper, lower in pairwise(chain):
            steps[row_of[upper]] = max(steps[row_of[upper]], abs(across[upper] - across[lower]))
    spans: list[tuple[float, float]] = []
    place = 0.0
    for row, step in zip(graph.rows, steps, strict=True):
        height = max((heights[item] for item in row if item < graph.count), default=0.0)
        spans.append((place, place + height))
        place += height + ROW_GAP + min(MOST_GROWTH, STEEPNESS * step)
    return spans


@dataclass(frozen=True)
class _Items:
    """The sizes of items, and the places of items and waypoints."""

    sizes: Sequence[Point]
    across: Sequence[float]
    along: Sequence[float]

    def route(self, edge: FlatEdge, chain: Sequence[int], spans: Sequence[tuple[float, float]]) -> list[Point]:
        """Return the curves of an edge. It crosses each row on a straight line, so that it bends only between rows."""
        leaves, enters = self._ends(edge, chain)
        begin = self.along[edge.source] + self.sizes[edge.source][1] / 2
        end = self.along[edge.target] - self.sizes[edge.target][1] / 2
        waypoints = [(leaves, begin), (leaves, spans[0][1])]
        for waypoint, span in zip(chain[1:-1], spans[1:-1], strict=True):
            waypoints += [(self.across[waypoint], span[0]), (self.across[waypoint], span[1])]
        waypoints += [(enters, spans[-1][0]), (enters, end)]
        return curve([point for number, point in enumerate(waypoints) if number == 0 or point != waypoints[number - 1]])

    def _ends(self, edge: FlatEdge, chain: Sequence[int]) -> tuple[float, float]:
        """Return where an edge leaves its source and enters its target: on one straight line if there is one, else as near as possible."""
        source, target = edge.source, edge.target
        leaves = None if edge.leaves is None else self.across[source] + edge.leaves
        enters = None if edge.enters is None else self.across[target] + edge.enters
        is_short = source == chain[-2]  # it has no waypoints
        if is_short and leaves is None and enters is None:
            narrow = source if self.sizes[source][0] <= self.sizes[target][0] else target
            leaves = self._within(self.across[narrow], source)
        if leaves is None:
            leaves = self._within(enters if is_short and enters is not None else self.across[chain[1]], source)
        if enters is None:
            enters = self._within(leaves if is_short else self.across[chain[-2]], target)
        return leaves, enters

    def _within(self, wanted: float, item: int) -> float:
        room = max(0.0, self.sizes[item][0] / 2 - CORNER)
        return min(max(wanted, self.across[item] - room), self.across[item] + room)
