"""Decide what the box of a layer shows, and how large it is."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rendering import text
from rendering.text import Colour
from schemas.methods.inspection.architecture import Architecture, GraphCluster, GraphNode, Shape
from schemas.models import LayerKind

NAME_LETTERS, DETAIL_LETTERS, STUB_LETTERS = 15, 13, 12  # pixels
NAME_ROW, DETAIL_ROW, STUB_ROW = 26, 21, 20  # pixels: the heights of the rows
MARGIN = 9  # pixels between the border of a box and its words
SPACE = 12  # pixels between a layer's name and its type
WIDEST_NAME, WIDEST_DETAIL = 420, 440  # pixels; longer words are shortened
LINEAR = "linear"  # Keras's name for no activation function
# All colours are dark enough for white words.
COLOURS: dict[LayerKind, Colour] = {
    LayerKind.INPUT: (60, 60, 60),
    LayerKind.CONV: (31, 95, 168),
    LayerKind.DENSE: (106, 61, 154),
    LayerKind.ACTIVATION: (179, 89, 0),
    LayerKind.NORMALIZATION: (47, 125, 79),
    LayerKind.POOLING: (176, 42, 55),
    LayerKind.MERGE: (122, 100, 0),
    LayerKind.ATTENTION: (156, 44, 122),
    LayerKind.RECURRENT: (156, 44, 122),
    LayerKind.MODEL: (32, 112, 124),
}
OTHER: Colour = (90, 100, 112)
FRAME: Colour = COLOURS[LayerKind.MODEL]


@dataclass(frozen=True)
class LayerBox:
    """The words of a box and its size in pixels. The details are rows below the name and the type."""

    name: str
    type: str
    details: tuple[str, ...]
    colour: Colour
    width: int
    height: int


def colour_of(kind: LayerKind) -> Colour:
    """Return the colour of the layers of a kind."""
    return COLOURS.get(kind, OTHER)


def layer_box(node: GraphNode, params: Architecture, usual_dtype: str | None = None) -> LayerBox:
    """Return the box of a layer. It is as large as its words need, and has no word for `usual_dtype`."""
    name, kind = _fitted(node.name, NAME_LETTERS, WIDEST_NAME, bold=True), _fitted(node.type, DETAIL_LETTERS, WIDEST_NAME)
    details = tuple(_fitted(row, DETAIL_LETTERS, WIDEST_DETAIL) for row in _details(node, params, usual_dtype))
    header = width_of(name, NAME_LETTERS, bold=True) + SPACE + width_of(kind, DETAIL_LETTERS)
    inner = max([header, *(width_of(row, DETAIL_LETTERS) for row in details)])
    return LayerBox(name, kind, details, colour_of(node.kind), inner + 2 * MARGIN, NAME_ROW + DETAIL_ROW * len(details))


def frame_title(cluster: GraphCluster) -> str:
    """Return the words above the frame of a nested model."""
    words = f"{printable(cluster.name)} · {printable(cluster.type)} · {counted(cluster.parameters)}"
    return _fitted(words, DETAIL_LETTERS, WIDEST_DETAIL)


def width_of(words: str, letters: int, *, bold: bool = False) -> int:
    """Return the width of words in pixels."""
    return math.ceil(text.font(letters, bold=bold).getlength(text.drawable(words)))


def printable(words: str) -> str:
    """Return words without control characters, which XML forbids. Empty words become "?"."""
    return re.sub(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", words) or "?"


def counted(parameters: int) -> str:
    return f"{parameters:,} parameter{'s' * (parameters != 1)}"


def shape_words(shape: Shape) -> str:
    """Return a shape without its batch axis, for example "112 × 112 × 32". An axis of any length is "?"."""
    return " × ".join("?" if length is None else str(length) for length in shape) or "one number"


def _details(node: GraphNode, params: Architecture, usual_dtype: str | None) -> list[str]:
    rows: list[str] = []
    if params.shapes:
        read = _inputs(node.input_shapes)
        output = shape_words(node.output_shape)
        rows.append(output if read in ("", output) else f"{read} → {output}")
    facts = (
        counted(node.parameters) if params.parameters and node.parameters else "",
        printable(node.activation) if params.activations and node.activation and node.activation != LINEAR else "",
        printable(node.dtype) if params.dtypes and node.dtype and node.dtype != usual_dtype else "",
        f"called {node.calls} times; drawn: the first" if node.calls > 1 else "",
    )
    found = " · ".join(fact for fact in facts if fact)
    return [*rows, found] if found else rows


def _inputs(shapes: Sequence[Shape]) -> str:
    """Return the shapes that a layer reads. Equal shapes are counted."""
    counts = {words: [shape_words(shape) for shape in shapes].count(words) for words in map(shape_words, shapes)}
    return ", ".join(words if count == 1 else f"{count} of {words}" for words, count in counts.items())


def _fitted(words: str, letters: int, width: int, *, bold: bool = False) -> str:
    return text.shortened(printable(words), text.font(letters, bold=bold), width)
