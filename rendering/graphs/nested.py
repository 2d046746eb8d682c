"""Lay out a graph with frames: what is in a frame is laid out first, and is one box for what is around it.

An edge that crosses a frame meets it in a port, an item without a size in the first or last row of the frame.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from rendering.graphs.depths import Edge
from rendering.graphs.figure import Point
from rendering.graphs.item_order import in_order
from rendering.graphs.layered import FlatEdge, Layered, curve, layered


@dataclass(frozen=True)
class FrameRoom:
    """The room that a frame needs, in pixels.

    Attributes:
        across: The room before and after what is in it, across the edges.
        along: The room before and after what is in it, along the edges.
        crossed: The room that remains of `along` where edges cross the frame, because there is a gap inside it already.
        least: The least size, (across, along).
    """

    across: Point
    along: Point
    crossed: Point
    least: Point


@dataclass(frozen=True)
class NestedGraph:
    """A graph whose nodes are in frames.

    Attributes:
        sizes: The size (across, along) of each node, by its number. They are in topological order.
        around: The frames around each node, the outermost first.
        edges: The edges, by the numbers of their nodes.
        rooms: The room that each frame needs.
        yielding: Nodes that give way to others, so that chains of the others are straight.
    """

    sizes: Mapping[int, Point]
    around: Mapping[int, tuple[int, ...]]
    edges: Sequence[Edge]
    rooms: Mapping[int, FrameRoom]
    yielding: Collection[int] = ()


@dataclass(frozen=True)
class PlacedBlock:
    """The inside of a frame, or the whole graph. Places are (across, along) from its corner.

    Attributes:
        size: Its size.
        middles: The middle of each node.
        frames: The corner and the size of each frame in it.
        routes: The Bézier curves of each edge, by the edge's number. An edge that leaves the block ends at its border.
    """

    size: Point
    middles: dict[int, Point] = field(default_factory=dict[int, Point])
    frames: dict[int, tuple[Point, Point]] = field(default_factory=dict[int, tuple[Point, Point]])
    routes: dict[int, list[Point]] = field(default_factory=dict[int, list[Point]])

    def moved(self, across: float, along: float, size: Point) -> PlacedBlock:
        """Return the block, moved by so many pixels, with another size."""

        def place(point: Point) -> Point:
            return point[0] + across, point[1] + along

        return PlacedBlock(
            size,
            {node: place(point) for node, point in self.middles.items()},
            {frame: (place(corner), extent) for frame, (corner, extent) in self.frames.items()},
            {edge: [place(point) for point in route] for edge, route in self.routes.items()},
        )


def block_of(graph: NestedGraph) -> PlacedBlock:
    """Return the whole graph with all places."""
    return _block(graph, list(graph.sizes), list(range(len(graph.edges))), 0)


def _block(graph: NestedGraph, nodes: Sequence[int], edges: Sequence[int], depth: int) -> PlacedBlock:
    """Return the block of nodes that have `depth` frames around them in common. `edges` are those with an end among the nodes."""
    inside: dict[int, list[int]] = {}
    item_of: dict[int, int] = {}
    for node in nodes:
        frames = graph.around[node]
        item_of[node] = node if len(frames) == depth else _item_of_frame(graph, frames[depth])
        if len(frames) > depth:
            inside.setdefault(frames[depth], []).append(node)
    blocks: dict[int, PlacedBlock] = {}
    for frame, within in inside.items():
        members = set(within)
        touching = [edge for edge in edges if not members.isdisjoint(graph.edges[edge])]
        block = _block(graph, within, touching, depth + 1)
        entered = any(graph.edges[edge][0] not in members for edge in touching)
        left = any(graph.edges[edge][1] not in members for edge in touching)
        blocks[_item_of_frame(graph, frame)] = _framed(block, frame, graph.rooms[frame], entered=entered, left=left)
    return _Level(graph, edges, item_of, blocks).assembled()


def _item_of_frame(graph: NestedGraph, frame: int) -> int:
    """Return the number of the item that stands for a frame: the numbers above those of all nodes."""
    return max(graph.sizes) + 1 + frame


def _framed(block: PlacedBlock, frame: int, room: FrameRoom, *, entered: bool, left: bool) -> PlacedBlock:
    """Return the block with the frame around it. The edges that cross the frame are lengthened to reach it."""
    before, after = (room.crossed if entered else room.along)[0], (room.crossed if left else room.along)[1]
    across = max(block.size[0] + sum(room.across), room.least[0])
    along = max(block.size[1] + before + after, room.least[1])
    shift = room.across[0] + (across - sum(room.across) - block.size[0]) / 2
    found = block.moved(shift, before, (across, along))
    found.frames[frame] = ((0.0, 0.0), (across, along))
    for edge, route in block.routes.items():
        points = found.routes[edge]
        start = curve([(points[0][0], 0.0), points[0]])[:-1] if entered and route[0][1] == 0.0 else []
        end = curve([points[-1], (points[-1][0], along)])[1:] if left and route[-1][1] == block.size[1] else []
        found.routes[edge] = [*start, *points, *end]
    return found


class _Level:
    """The items of a block, which are nodes and framed blocks, and the ports of the edges that cross the border of the block.

    They are counted in this order: the ports of edges that come from outside, the items, the ports of edges that lead outside.
    """

    def __init__(self, graph: NestedGraph, edges: Sequence[int], item_of: Mapping[int, int], blocks: Mapping[int, PlacedBlock]) -> None:
        self._blocks = blocks
        self._ends = {edge: (item_of.get(graph.edges[edge][0]), item_of.get(graph.edges[edge][1])) for edge in edges}
        entering = [edge for edge, (source, _) in self._ends.items() if source is None]
        leaving = [edge for edge, (_, target) in self._ends.items() if target is None]
        inner = [(source, target) for source, target in self._ends.values() if source is not None and target is not None]
        self._items = in_order(dict.fromkeys(item_of.values()), inner)
        self._place = {item: len(entering) + number for number, item in enumerate(self._items)}
        end = len(entering) + len(self._items)
        self._port = {edge: number for number, edge in enumerate(entering)} | {edge: end + number for number, edge in enumerate(leaving)}
        items = [blocks[item].size if item in blocks else graph.sizes[item] for item in self._items]
        self._sizes = [(0.0, 0.0)] * len(entering) + items + [(0.0, 0.0)] * len(leaving)
        self._yielding = [self._place[item] for item in self._items if item in graph.yielding]
        self._first, self._last = range(len(entering)), range(end, len(self._sizes))

    def assembled(self) -> PlacedBlock:
        """Return the block with everything in its place."""
        flat = {edge: found for edge in self._ends if (found := self._flat_edge(edge)) is not None}
        laid = layered(self._sizes, list(flat.values()), first=self._first, last=self._last, yielding=self._yielding)
        whole = PlacedBlock(laid.size)
        moved: dict[int | None, PlacedBlock] = {}
        for item in self._items:
            middle = laid.middles[self._place[item]]
            if item in self._blocks:
                width, height = self._blocks[item].size
                moved[item] = self._blocks[item].moved(middle[0] - width / 2, middle[1] - height / 2, (width, height))
                whole.middles.update(moved[item].middles)
                whole.frames.update(moved[item].frames)
                whole.routes.update(moved[item].routes)
            else:
                whole.middles[item] = middle
        routes = dict(zip(flat, laid.routes, strict=True))
        for edge, (source, target) in self._ends.items():
            if edge in routes or source != target:
                own = routes.get(edge) or self._backward(edge, laid)
                before = moved[source].routes[edge] if source in moved else []
                after = moved[target].routes[edge] if target in moved else []
                whole.routes[edge] = [*before[:-1], *own, *after[1:]]
        return whole

    def _flat_edge(self, edge: int) -> FlatEdge | None:
        """Return the edge between two items, or None if it does not lead from one item to a later one."""
        start, stop = self._numbers(edge)
        if start >= stop:
            return None
        return FlatEdge(start, stop, self._crossing(edge, 0), self._crossing(edge, 1))

    def _numbers(self, edge: int) -> tuple[int, int]:
        source, target = self._ends[edge]
        return (
            self._port[edge] if source is None else self._place[source],
            self._port[edge] if target is None else self._place[target],
        )

    def _crossing(self, edge: int, end: int) -> float | None:
        """Return where an edge meets the border of a framed block, from its middle. It is None if the edge ends at no such block."""
        item = self._ends[edge][end]
        if item is None or item not in self._blocks:
            return None
        block = self._blocks[item]
        return block.routes[edge][-1 if end == 0 else 0][0] - block.size[0] / 2

    def _backward(self, edge: int, laid: Layered) -> list[Point]:
        """Return the curve of an edge from an item to an earlier one. It goes straight there."""
        start, stop = self._numbers(edge)
        (across, along), (to_across, to_along) = laid.middles[start], laid.middles[stop]
        leaves, enters = self._crossing(edge, 0) or 0.0, self._crossing(edge, 1) or 0.0
        half, to_half = self._sizes[start][1] / 2, self._sizes[stop][1] / 2
        return curve([(across + leaves, along + half), (to_across + enters, to_along - to_half)])
