"""Give every box, frame and edge of a graph its place in the picture."""

from __future__ import annotations

from collections.abc import Sequence

from rendering.graphs.boxes import DETAIL_LETTERS, STUB_LETTERS, STUB_ROW, LayerBox, frame_title, width_of
from rendering.graphs.columns import COLUMN_GAP, GraphColumn
from rendering.graphs.figure import ARROW_LENGTH, Point
from rendering.graphs.nested import FrameRoom, NestedGraph, block_of
from rendering.graphs.placed import PlacedArrow, PlacedBox, PlacedFrame, PlacedGraph, PlacedStub, joined
from schemas.methods.inspection.architecture import ArchitectureGraph, Direction, GraphCluster

FRAME_MARGIN, TITLE_ROW, STUB_MARGIN = 12, 26, 4  # pixels


def laid_out(graph: ArchitectureGraph, boxes: Sequence[LayerBox], columns: Sequence[GraphColumn]) -> PlacedGraph:
    """Return the graph with a place for each box, frame and edge. Columns stand side by side, or one below the other if they are wide."""
    return joined([_placed(graph, boxes, column) for column in columns], graph.direction, COLUMN_GAP)


def _placed(graph: ArchitectureGraph, boxes: Sequence[LayerBox], column: GraphColumn) -> PlacedGraph:
    nested, stubs = _nested(graph, boxes, column)
    block = block_of(nested)
    turn = _Turn(graph.direction, block.size)
    width, height = turn.size(block.size)
    placed_boxes: list[PlacedBox] = []
    placed_stubs: list[PlacedStub] = []
    for node, middle in block.middles.items():
        x, y = turn.point(middle)
        if node in stubs:
            words = column.stubs[stubs[node]].words
            placed_stubs.append(PlacedStub(words, x - width_of(words, STUB_LETTERS) / 2, y))
        else:
            box = boxes[node]
            placed_boxes.append(PlacedBox(box, x - box.width / 2, y - box.height / 2))
    frames: list[PlacedFrame] = []
    for number, (corner, size) in sorted(block.frames.items()):
        (x, y), (to_x, to_y) = turn.point(corner), turn.point((corner[0] + size[0], corner[1] + size[1]))
        frames.append(PlacedFrame(frame_title(graph.clusters[number]), min(x, to_x), min(y, to_y), abs(to_x - x), abs(to_y - y)))
    arrows = [
        _arrow([turn.point(point) for point in route], dashed=not stubs.keys().isdisjoint(nested.edges[edge]))
        for edge, route in block.routes.items()
    ]
    return PlacedGraph(width, height, tuple(placed_boxes), tuple(placed_stubs), tuple(frames), tuple(arrows))


def _nested(graph: ArchitectureGraph, boxes: Sequence[LayerBox], column: GraphColumn) -> tuple[NestedGraph, dict[int, int]]:
    """Return a column as a graph with frames, and the index of the stub that each of its other nodes stands for."""
    turn = _Turn(graph.direction, (0, 0))
    frames = {cluster.path: number for number, cluster in enumerate(graph.clusters)}
    chains = {None: ()} | {cluster.path: _chain(graph.clusters, frames, cluster.path) for cluster in graph.clusters}
    stubs = {len(boxes) + number: number for number in range(len(column.stubs))}
    words = {node: column.stubs[number].words for node, number in stubs.items()}
    sizes = {node: turn.size((width_of(text, STUB_LETTERS) + 2 * STUB_MARGIN, STUB_ROW)) for node, text in words.items()}
    sizes = {node: turn.size((boxes[node].width, boxes[node].height)) for node in column.nodes} | sizes
    edges = [
        *column.edges,
        *((node, stub.node) if (stub := column.stubs[number]).incoming else (stub.node, node) for node, number in stubs.items()),
    ]
    around = {node: chains[graph.nodes[node].inside] for node in column.nodes} | dict.fromkeys(stubs, ())
    rooms = {number: _room(cluster, turn) for number, cluster in enumerate(graph.clusters)}
    return NestedGraph(sizes, around, edges, rooms, stubs.keys()), stubs


def _chain(clusters: Sequence[GraphCluster], frames: dict[str, int], path: str) -> tuple[int, ...]:
    """Return the frames around what is in a cluster, the outermost first."""
    outer = clusters[frames[path]].inside
    return (*(() if outer is None else _chain(clusters, frames, outer)), frames[path])


def _room(cluster: GraphCluster, turn: _Turn) -> FrameRoom:
    """Return the room of a frame, whose title stands at the top of the picture, whatever the direction of the graph is."""
    before, after = TITLE_ROW + FRAME_MARGIN / 2, float(FRAME_MARGIN)
    sides, nothing = (after, after), (0.0, 0.0)
    least = turn.size((width_of(frame_title(cluster), DETAIL_LETTERS) + 2 * FRAME_MARGIN, 0))
    if turn.wide:
        return FrameRoom((before, after), sides, nothing, least)
    if turn.direction == "BT":
        return FrameRoom(sides, (after, before), (0.0, TITLE_ROW), least)
    return FrameRoom(sides, (before, after), (TITLE_ROW, 0.0), least)


def _arrow(points: list[Point], *, dashed: bool) -> PlacedArrow:
    """Return an edge whose line ends where its arrow's head begins."""
    tip, (x, y) = points[-1], points[-2]
    length = max(1e-6, ((tip[0] - x) ** 2 + (tip[1] - y) ** 2) ** 0.5)
    back = min(ARROW_LENGTH, length)
    end = (tip[0] - (tip[0] - x) * back / length, tip[1] - (tip[1] - y) * back / length)
    return PlacedArrow((*points[:-1], end), tip, dashed)


class _Turn:
    """Turn places (across, along) into (x, y) of the picture."""

    def __init__(self, direction: Direction, size: Point) -> None:
        self.direction, self.wide = direction, direction in ("LR", "RL")
        self._length = size[1]

    def size(self, size: Point) -> Point:
        """Turn a size from (across, along) to (width, height), or back."""
        return (size[1], size[0]) if self.wide else size

    def point(self, point: Point) -> Point:
        across, along = point
        along = self._length - along if self.direction in ("BT", "RL") else along
        return (along, across) if self.wide else (across, along)
