"""A drawing as a list of shapes, which can be drawn as pixels and written as SVG alike.

All lengths are in pixels, and places count from the upper left corner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rendering.text import Colour

Point = tuple[float, float]
"""(x, y) in pixels."""

DASH, DASH_GAP = 6.0, 5.0  # pixels
ARROW_LENGTH, ARROW_WIDTH = 9.0, 7.0  # pixels
_STEPS = 16  # straight pieces of a Bézier curve


@dataclass(frozen=True)
class Rectangle:
    """A rectangle with a filling, an outline, or both."""

    left: float
    top: float
    width: float
    height: float
    filling: Colour | None = None
    outline: Colour | None = None


@dataclass(frozen=True)
class TextLine:
    """A line of words. (x, y) is the middle of its left end."""

    x: float
    y: float
    words: str
    letters: int
    colour: Colour
    bold: bool = False


@dataclass(frozen=True)
class Arrow:
    """Cubic Bézier curves joined to one line, with 3n + 1 points, and the tip of an arrow at its end."""

    points: tuple[Point, ...]
    tip: Point
    colour: Colour
    dashed: bool = False

    @property
    def line(self) -> list[Point]:
        """The curve as straight pieces."""
        found = [self.points[0]]
        for start in range(0, len(self.points) - 1, 3):
            a, b, c, d = self.points[start : start + 4]
            for step in range(1, _STEPS + 1):
                t = step / _STEPS
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                found.append(
                    (
                        sum(weight * point[0] for weight, point in zip(weights, (a, b, c, d), strict=True)),
                        sum(weight * point[1] for weight, point in zip(weights, (a, b, c, d), strict=True)),
                    )
                )
        return found

    @property
    def head(self) -> tuple[Point, Point, Point]:
        """The corners of the arrow's head: the tip first."""
        (x, y), (from_x, from_y) = self.tip, self.points[-1]
        length = max(1e-6, ((x - from_x) ** 2 + (y - from_y) ** 2) ** 0.5)
        along_x, along_y = (x - from_x) / length, (y - from_y) / length
        base_x, base_y = x - ARROW_LENGTH * along_x, y - ARROW_LENGTH * along_y
        half = ARROW_WIDTH / 2
        return self.tip, (base_x - half * along_y, base_y + half * along_x), (base_x + half * along_y, base_y - half * along_x)


Mark = Rectangle | TextLine | Arrow


@dataclass(frozen=True)
class VectorFigure:
    """Shapes on white, drawn in this order, and the size of the picture."""

    width: int
    height: int
    shapes: tuple[Mark, ...]


def dashes(line: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    """Yield the dashes of a line of straight pieces. A dash that goes around a corner is two."""
    place, drawn = 0.0, True
    for (x, y), (to_x, to_y) in pairwise(line):
        length, done = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5, 0.0
        while done < length:
            step = min((DASH if drawn else DASH_GAP) - place, length - done)
            if drawn:
                yield (
                    (x + (to_x - x) * done / length, y + (to_y - y) * done / length),
                    (x + (to_x - x) * (done + step) / length, y + (to_y - y) * (done + step) / length),
                )
            done, place = done + step, place + step
            if place >= (DASH if drawn else DASH_GAP) - 1e-9:
                place, drawn = 0.0, not drawn
