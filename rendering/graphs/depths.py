"""Put the layers of a graph into rows: a layer stands below all layers that it reads."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

Edge = tuple[int, int]
"""The index of a node, and the index of a node that reads it."""


def depths(count: int, edges: Sequence[Edge]) -> list[int]:
    """Return the row of each node, counted from 0: the length of the longest way to it. A node that reads nothing stands right above
    the first node that reads it.

    Args:
        count: The number of nodes. They are in topological order.
        edges: The edges. Each leads to a node of a higher index.
    """
    rows = [0] * count
    readers: list[list[int]] = [[] for _ in range(count)]
    reads = [False] * count
    for source, target in edges:
        readers[source].append(target)
        reads[target] = True
    for node in range(count):
        for reader in readers[node]:
            rows[reader] = max(rows[reader], rows[node] + 1)
    for node in range(count):
        if not reads[node] and readers[node]:
            rows[node] = min(rows[reader] for reader in readers[node]) - 1
    return rows


def crossings(rows: Sequence[int], edges: Sequence[Edge]) -> list[int]:
    """Return for each row the number of edges that lead from it, or from above it, to below it. The last row has none."""
    found = [0] * (max(rows, default=0) + 1)
    for source, target in edges:
        for row in range(rows[source], rows[target]):
            found[row] += 1
    return found


def likenesses(rows: Sequence[int], edges: Sequence[Edge], names: Sequence[str]) -> list[int]:
    """Return for each row how many letters at the beginning of their names a node in it and its reader in the next row share at most.

    Layers of one block usually have names that begin alike.
    """
    found = [0] * (max(rows, default=0) + 1)
    for source, target in edges:
        if rows[target] == rows[source] + 1:
            found[rows[source]] = max(found[rows[source]], _shared_start(names[source], names[target]))
    return found


def _shared_start(one: str, other: str) -> int:
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in same)


def breaks(crossed: Sequence[int], alike: Sequence[int], columns: int) -> list[int]:
    """Return the rows after which a graph is cut into `columns` columns of about equal length.

    A cut may move by a quarter of a column to where fewer edges cross it. Of equal ones, the one between the least similar names is
    taken, so that blocks stay whole, and then the nearest to the even division.
    """
    length = len(crossed) / columns
    found: list[int] = []
    for number in range(1, columns):
        even = number * length - 1
        first = max(found[-1] + 1 if found else 0, round(even - length / 4))
        last = min(len(crossed) - 2, round(even + length / 4))
        if first <= last:
            found.append(min(range(first, last + 1), key=lambda row: (crossed[row], alike[row], abs(row - even))))
    return found
