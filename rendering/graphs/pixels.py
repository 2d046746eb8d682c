"""Draw a figure as pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from rendering import text
from rendering.graphs.figure import Arrow, Point, Rectangle, TextLine, VectorFigure, dashes

LONGEST_SIDE, MOST_PIXELS = 16_384, 32_000_000
_FRACTION = 4  # bits of a pixel: OpenCV draws smooth lines between places of 1/16 pixel


def fitting_scale(figure: VectorFigure) -> float:
    """Return the scale, at most 1, with which the picture stays within `LONGEST_SIDE` and `MOST_PIXELS`."""
    return min(1.0, LONGEST_SIDE / max(figure.width, figure.height), math.sqrt(MOST_PIXELS / (figure.width * figure.height)))


def pixels(figure: VectorFigure, scale: float = 1.0) -> UInt8[np.ndarray, "h w 3"]:
    """Return the figure on white, `scale` times as large as it says."""
    size = (max(1, math.floor(figure.height * scale)), max(1, math.floor(figure.width * scale)))
    canvas = np.full((*size, 3), text.PAPER, np.uint8)
    for shape in figure.shapes:
        if isinstance(shape, Rectangle):
            _draw_rectangle(canvas, shape, scale)
        elif isinstance(shape, Arrow):
            _draw_arrow(canvas, shape, scale)
    sheet = Image.fromarray(canvas)
    draw = ImageDraw.Draw(sheet)
    for shape in figure.shapes:
        if isinstance(shape, TextLine):
            face = text.font(max(1, round(shape.letters * scale)), bold=shape.bold)
            draw.text((shape.x * scale, shape.y * scale), text.drawable(shape.words), fill=shape.colour, font=face, anchor="lm")
    return np.asarray(sheet)


def _draw_rectangle(canvas: UInt8[np.ndarray, "h w 3"], shape: Rectangle, scale: float) -> None:
    corner = (round(shape.left * scale), round(shape.top * scale))
    opposite = (round((shape.left + shape.width) * scale) - 1, round((shape.top + shape.height) * scale) - 1)
    if shape.filling is not None:
        cv2.rectangle(canvas, corner, opposite, shape.filling, cv2.FILLED)
    if shape.outline is not None:
        cv2.rectangle(canvas, corner, opposite, shape.outline, 1)


def _draw_arrow(canvas: UInt8[np.ndarray, "h w 3"], arrow: Arrow, scale: float) -> None:
    pieces: list[Sequence[Point]] = list(dashes(arrow.line)) if arrow.dashed else [arrow.line]
    lines = [_places(piece, scale) for piece in pieces]
    cv2.polylines(canvas, lines, isClosed=False, color=arrow.colour, thickness=1, lineType=cv2.LINE_AA, shift=_FRACTION)
    cv2.fillPoly(canvas, [_places(arrow.head, scale)], arrow.colour, lineType=cv2.LINE_AA, shift=_FRACTION)


def _places(points: Sequence[Point], scale: float) -> np.ndarray:
    return np.rint(np.asarray(points) * (scale * 2**_FRACTION)).astype(np.int32)
