"""Place the boxes of each row, so that chains of layers are straight and boxes keep their distance.

In each sweep, a box wants to stand where the weighted median of its neighbours stands. Where boxes of a row would overlap, they are
moved by as little as possible (in the sense of least squares, by pooling adjacent violators).

Source of the median sweeps: Gansner et al., A Technique for Drawing Directed Graphs, IEEE TSE 19, 1993, section 4.2.
Source of the pooling: Barlow et al., Statistical Inference under Order Restrictions, 1972.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from rendering.graphs.row_order import RowGraph, neighbours

SWEEPS = 8
YIELDING = 1e-6  # the weight with which a waypoint insists on its place; that of a node is 1
NODES, MIXED, WAYPOINTS = 4, 2, 8  # the weights of edges between two nodes, a node and a waypoint, and two waypoints


def places(graph: RowGraph, widths: Sequence[float], gap: float, yielding: Collection[int] = ()) -> list[float]:
    """Return the middle of each node and waypoint across the rows. The left end of the graph is at 0.

    Args:
        graph: The rows, in order.
        widths: The width of each node and waypoint.
        gap: The least distance between two of a row.
        yielding: The nodes that give way to others, as waypoints do.
    """
    above, below = neighbours(graph)
    heavy = frozenset(range(graph.count)).difference(yielding)
    found = _Places(heavy, widths, gap)
    for row in graph.rows:
        found.put(row, [0.0] * len(row))
    for _ in range(SWEEPS):
        for row in graph.rows[::-1]:
            found.put(row, [found.wanted(node, below[node]) for node in row])
        for row in graph.rows:
            found.put(row, [found.wanted(node, above[node]) for node in row])
    left = min((middle - width / 2 for middle, width in zip(found.middles, widths, strict=True)), default=0.0)
    return [middle - left for middle in found.middles]


def apart(wanted: Sequence[float], distances: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the places nearest to the wanted ones (in the sense of weighted least squares) that keep the distances between neighbours.

    Args:
        wanted: The place that each of n would like to have.
        distances: The least distance between the first and the second, the second and the third, and so on: n − 1 numbers.
        weights: How much each insists on its place.
    """
    offsets = [0.0]
    for distance in distances:
        offsets.append(offsets[-1] + distance)
    pools: list[tuple[float, float, int]] = []  # the mean, the weight and the number of those that stand as close as they may
    for place, offset, weight in zip(wanted, offsets, weights, strict=True):
        mean, total, count = place - offset, weight, 1
        while pools and pools[-1][0] >= mean:
            other, heavy, others = pools.pop()
            mean = (mean * total + other * heavy) / (total + heavy)
            total, count = total + heavy, count + others
        pools.append((mean, total, count))
    pooled = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(pooled, offsets, strict=True)]


def weighted_median(values: Sequence[tuple[float, float]]) -> float:
    """Return the median of (value, weight). If it lies between two values, it is their mean."""
    ordered = sorted(values)
    half, passed = sum(weight for _, weight in ordered) / 2, 0.0
    for number, (value, weight) in enumerate(ordered):
        passed += weight
        if passed > half:
            return value
        if passed == half:
            return (value + ordered[number + 1][0]) / 2
    raise ValueError("the median of nothing is not defined")


class _Places:
    """The middles of nodes and waypoints. The heavy ones keep their places, and the others give way."""

    def __init__(self, heavy: Collection[int], widths: Sequence[float], gap: float) -> None:
        self._heavy, self._widths, self._gap = heavy, widths, gap
        self.middles = [0.0] * len(widths)

    def wanted(self, node: int, joined: Sequence[int]) -> float:
        """Return where a node wants to stand because of those that it is joined to."""
        if not joined:
            return self.middles[node]
        weights = [(NODES, MIXED, WAYPOINTS)[(node not in self._heavy) + (other not in self._heavy)] for other in joined]
        return weighted_median([(self.middles[other], weight) for other, weight in zip(joined, weights, strict=True)])

    def put(self, row: Sequence[int], wanted: Sequence[float]) -> None:
        """Put a row to the places nearest to the wanted ones. Those that are not heavy give way."""
        distances = [(self._widths[left] + self._widths[right]) / 2 + self._gap for left, right in pairwise(row)]
        weights = [1.0 if node in self._heavy else YIELDING for node in row]
        for node, place in zip(row, apart(wanted, distances, weights), strict=True):
            self.middles[node] = place
