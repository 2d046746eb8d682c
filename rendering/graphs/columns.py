"""Divide a long graph into columns, so that its picture is about as wide as high.

An edge that leaves a column, or a part of a model, ends in a stub: a few words that say where it leads.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rendering.graphs.boxes import LayerBox
from rendering.graphs.depths import Edge, breaks, crossings, depths, likenesses
from rendering.graphs.layered import ROW_GAP
from schemas.methods.inspection.architecture import ArchitectureGraph

LONGEST_COLUMN = 1600  # pixels; a graph that is not longer is one column
COLUMN_GAP = 70  # pixels between two columns
FEWEST_ROWS = 8  # a column is not shorter
NAMED = 2  # a stub names so many layers


@dataclass(frozen=True)
class Stub:
    """The end of edges of one box that lead out of a column.

    Attributes:
        node: The index of the box.
        incoming: If it is true, the box reads what is outside. If it is false, it is read outside.
        words: The layers outside, in words.
    """

    node: int
    incoming: bool
    words: str


@dataclass(frozen=True)
class GraphColumn:
    """One column: the indices of its nodes in the whole graph, the edges between them, and its stubs."""

    nodes: tuple[int, ...]
    edges: tuple[Edge, ...]
    stubs: tuple[Stub, ...]


def graph_columns(graph: ArchitectureGraph, boxes: Sequence[LayerBox], columns: int | None) -> list[GraphColumn]:
    """Return the columns of a graph in order. Edges lead from earlier columns to later ones.

    Args:
        graph: The graph, with the edges that leave it.
        boxes: The box of each node.
        columns: The number of columns. If it is None, it is chosen. A short graph has fewer columns than it is asked for.
    """
    index = {node.path: place for place, node in enumerate(graph.nodes)}
    edges = [(index[edge.source], index[edge.target]) for edge in graph.edges]
    rows = depths(len(graph.nodes), edges)
    crossed = crossings(rows, edges)
    wide = graph.direction in ("LR", "RL")
    count = columns or _suitable(rows, boxes, wide=wide)
    alike = likenesses(rows, edges, [node.path for node in graph.nodes])
    ends = [*breaks(crossed, alike, min(count, len(crossed))), len(crossed)]
    column_of = [next(number for number, end in enumerate(ends) if row <= end) for row in rows]
    stubs = _stubs(graph, index, column_of)
    return [
        GraphColumn(
            tuple(node for node, place in enumerate(column_of) if place == number),
            tuple((source, target) for source, target in edges if column_of[source] == column_of[target] == number),
            tuple(stub for stub in stubs if column_of[stub.node] == number),
        )
        for number in range(len(ends))
    ]


def _suitable(rows: Sequence[int], boxes: Sequence[LayerBox], *, wide: bool) -> int:
    """Return the number of columns with which the picture is about as wide as high."""
    across: dict[int, int] = defaultdict(int)
    along: dict[int, int] = defaultdict(int)
    for row, box in zip(rows, boxes, strict=True):
        width, height = (box.height, box.width) if wide else (box.width, box.height)
        across[row] += width + COLUMN_GAP
        along[row] = max(along[row], height)
    length, breadth = sum(along.values()) + ROW_GAP * len(along), max(across.values())
    if length <= LONGEST_COLUMN:
        return 1
    return max(1, min(round(math.sqrt(length / breadth)), len(along) // FEWEST_ROWS))


def _stubs(graph: ArchitectureGraph, index: Mapping[str, int], column_of: Sequence[int]) -> list[Stub]:
    outside: dict[tuple[int, bool], list[str]] = defaultdict(list)
    for edge in (*graph.edges, *graph.cut):
        source, target = index.get(edge.source), index.get(edge.target)
        if source is not None and target is not None and column_of[source] == column_of[target]:
            continue
        if source is not None:
            outside[source, False].append(edge.target)
        if target is not None:
            outside[target, True].append(edge.source)
    return [
        Stub(node, incoming, f"{'from' if incoming else 'to'} {_some(list(dict.fromkeys(paths)))}")
        for (node, incoming), paths in outside.items()
    ]


def _some(paths: Sequence[str]) -> str:
    more = len(paths) - NAMED
    return ", ".join(paths[:NAMED]) + (f" and {more} more" if more > 0 else "")
