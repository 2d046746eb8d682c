"""A graph whose boxes, frames and edges have their places. Lengths are in pixels, from the upper left corner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rendering.graphs.boxes import LayerBox
from rendering.graphs.figure import Point
from schemas.methods.inspection.architecture import Direction


@dataclass(frozen=True)
class PlacedBox:
    """A layer's box, and its upper left corner."""

    box: LayerBox
    left: float
    top: float


@dataclass(frozen=True)
class PlacedStub:
    """The words of a stub, and the middle of their left end."""

    words: str
    left: float
    middle: float


@dataclass(frozen=True)
class PlacedFrame:
    """The frame of a nested model, and its title."""

    title: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class PlacedArrow:
    """An edge as Bézier curves, 3n + 1 points, and the tip of its arrow. It is dashed if it leads out of its column."""

    points: tuple[Point, ...]
    tip: Point
    dashed: bool


@dataclass(frozen=True)
class PlacedGraph:
    """A graph, or one column of it."""

    width: float
    height: float
    boxes: tuple[PlacedBox, ...]
    stubs: tuple[PlacedStub, ...]
    frames: tuple[PlacedFrame, ...]
    arrows: tuple[PlacedArrow, ...]

    def moved(self, across: float, down: float) -> PlacedGraph:
        """Return the graph, moved by so many pixels. Its size stays."""

        def place(point: Point) -> Point:
            return point[0] + across, point[1] + down

        return PlacedGraph(
            self.width,
            self.height,
            tuple(PlacedBox(each.box, each.left + across, each.top + down) for each in self.boxes),
            tuple(PlacedStub(each.words, each.left + across, each.middle + down) for each in self.stubs),
            tuple(PlacedFrame(each.title, each.left + across, each.top + down, each.width, each.height) for each in self.frames),
            tuple(PlacedArrow(tuple(map(place, each.points)), place(each.tip), each.dashed) for each in self.arrows),
        )


def joined(columns: Sequence[PlacedGraph], direction: Direction, gap: float) -> PlacedGraph:
    """Return the columns as one graph, `gap` pixels apart. They stand side by side, and wide ones (LR and RL) one below the other.

    All begin at the same line: at the bottom for BT, and on the right for RL.
    """
    wide = direction in ("LR", "RL")
    width, height = max(each.width for each in columns), max(each.height for each in columns)
    place, moved = 0.0, list[PlacedGraph]()
    for each in columns:
        if wide:
            moved.append(each.moved(width - each.width if direction == "RL" else 0.0, place))
            place += each.height + gap
        else:
            moved.append(each.moved(place, height - each.height if direction == "BT" else 0.0))
            place += each.width + gap
    return PlacedGraph(
        width if wide else place - gap,
        place - gap if wide else height,
        tuple(box for each in moved for box in each.boxes),
        tuple(stub for each in moved for stub in each.stubs),
        tuple(frame for each in moved for frame in each.frames),
        tuple(arrow for each in moved for arrow in each.arrows),
    )
