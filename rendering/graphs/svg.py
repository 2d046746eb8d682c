"""Write a figure as SVG."""

from __future__ import annotations

import html
from xml.sax.saxutils import quoteattr

from rendering.graphs.boxes import width_of
from rendering.graphs.figure import DASH, DASH_GAP, Arrow, Mark, Point, Rectangle, TextLine, VectorFigure
from rendering.text import Colour

FONT = "DejaVu Sans, Verdana, sans-serif"


def svg(figure: VectorFigure) -> str:
    """Return the figure as an SVG document. Words are escaped, and stretched to the width that they have in DejaVu Sans."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{figure.width}" height="{figure.height}" '
        f'viewBox="0 0 {figure.width} {figure.height}" font-family={quoteattr(FONT)}>',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *map(_element, figure.shapes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _element(shape: Mark) -> str:
    match shape:
        case Rectangle():
            filling = "none" if shape.filling is None else _colour(shape.filling)
            outline = "" if shape.outline is None else f' stroke="{_colour(shape.outline)}"'
            return (
                f'<rect x="{shape.left:g}" y="{shape.top:g}" width="{shape.width:g}" height="{shape.height:g}" fill="{filling}"{outline}/>'
            )
        case TextLine():
            bold = ' font-weight="bold"' if shape.bold else ""
            return (
                f'<text x="{shape.x:g}" y="{shape.y:g}" dominant-baseline="central" font-size="{shape.letters}"{bold} '
                f'fill="{_colour(shape.colour)}" textLength="{width_of(shape.words, shape.letters, bold=shape.bold)}" '
                f'lengthAdjust="spacingAndGlyphs">{html.escape(shape.words)}</text>'
            )
        case Arrow():
            return _arrow(shape)


def _arrow(arrow: Arrow) -> str:
    start, *rest = arrow.points
    dash = f' stroke-dasharray="{DASH:g} {DASH_GAP:g}"' if arrow.dashed else ""
    colour = _colour(arrow.colour)
    return (
        f'<path d="M{_place(start)} C{" ".join(map(_place, rest))}" fill="none" stroke="{colour}" stroke-width="1.5"{dash}/>'
        f'<polygon points="{" ".join(map(_place, arrow.head))}" fill="{colour}"/>'
    )


def _place(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def _colour(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
