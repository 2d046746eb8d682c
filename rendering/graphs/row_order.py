"""Order the boxes of each row so that few edges cross, by sweeps of barycentres.

Source: Sugiyama, Tagawa, Toda: Methods for Visual Understanding of Hierarchical System Structures, IEEE Trans. SMC 11, 1981.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rendering.graphs.depths import Edge

SWEEPS = 12


@dataclass(frozen=True)
class RowGraph:
    """A graph in rows, whose edges lead from one row to the next only: a longer edge passes through a waypoint in each row between.

    Attributes:
        count: The number of real nodes. Waypoints have the numbers from `count` on.
        rows: The nodes and waypoints of each row, from left to right.
        chains: For each edge its source, its waypoints and its target.
    """

    count: int
    rows: tuple[tuple[int, ...], ...]
    chains: tuple[tuple[int, ...], ...]


def ordered_rows(row_of: Sequence[int], edges: Sequence[Edge]) -> RowGraph:
    """Return the graph with the order of each row that had the fewest crossings."""
    graph = _with_waypoints(row_of, edges)
    above, below = neighbours(graph)
    rows = [list(row) for row in graph.rows]
    best, fewest = graph.rows, _crossings(rows, below)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        downwards = sweep % 2 == 0
        for number in range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1):
            _sort(rows[number], rows[number - 1 if downwards else number + 1], above if downwards else below)
        found = _crossings(rows, below)
        if found < fewest:
            best, fewest = tuple(map(tuple, rows)), found
    return RowGraph(graph.count, best, graph.chains)


def neighbours(graph: RowGraph) -> tuple[list[list[int]], list[list[int]]]:
    """Return for each node and waypoint those that it is joined to in the row above, and in the row below."""
    size = sum(map(len, graph.rows))
    above: list[list[int]] = [[] for _ in range(size)]
    below: list[list[int]] = [[] for _ in range(size)]
    for chain in graph.chains:
        for upper, lower in pairwise(chain):
            below[upper].append(lower)
            above[lower].append(upper)
    return above, below


def _with_waypoints(row_of: Sequence[int], edges: Sequence[Edge]) -> RowGraph:
    rows: list[list[int]] = [[] for _ in range(max(row_of, default=-1) + 1)]
    for node, row in enumerate(row_of):
        rows[row].append(node)
    chains: list[tuple[int, ...]] = []
    following = len(row_of)
    for source, target in edges:
        between = range(row_of[source] + 1, row_of[target])
        waypoints = tuple(range(following, following + len(between)))
        for row, waypoint in zip(between, waypoints, strict=True):
            rows[row].append(waypoint)
        following += len(between)
        chains.append((source, *waypoints, target))
    return RowGraph(len(row_of), tuple(map(tuple, rows)), tuple(chains))


def _sort(row: list[int], fixed: Sequence[int], joined: Sequence[Sequence[int]]) -> None:
    """Sort a row by the mean place of each node's neighbours in the fixed row. A node without neighbours stays where it is."""
    place = {node: number for number, node in enumerate(fixed)}
    share = len(fixed) / max(1, len(row))
    wanted = {
        node: sum(place[other] for other in joined[node]) / len(joined[node]) if joined[node] else number * share
        for number, node in enumerate(row)
    }
    row.sort(key=wanted.__getitem__)


def _crossings(rows: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """Return how many pairs of edges cross."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {node: number for number, node in enumerate(lower)}
        ends: list[int] = []
        for node in upper:
            found = sorted(place[other] for other in below[node])
            total += sum(len(ends) - bisect_right(ends, end) for end in found)
            for end in found:
                insort(ends, end)
    return total
