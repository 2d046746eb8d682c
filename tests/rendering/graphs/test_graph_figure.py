from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from rendering.graphs.boxes import layer_box
from rendering.graphs.figure import DASH, DASH_GAP, Arrow, Rectangle, TextLine, VectorFigure, dashes
from rendering.graphs.graph_figure import graph_figure
from rendering.graphs.pixels import fitting_scale, pixels
from rendering.graphs.svg import svg
from schemas.methods.inspection.architecture import Architecture, GraphCluster
from schemas.models import LayerKind
from tests.rendering.graphs.test_dot import HOSTILE, graph, node
from tests.rendering.graphs.test_layout import placed

SVG = "{http://www.w3.org/2000/svg}"


def words(figure: VectorFigure) -> list[str]:
    return [shape.words for shape in figure.shapes if isinstance(shape, TextLine)]


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ({}, ("? × 9 × 3 → 13 × 9 × 6", "7 parameters · relu · bfloat16")),
        (
            {"input_shapes": ((4, 4, 2), (4, 4, 2), (8,)), "output_shape": (4, 4, 2)},
            ("2 of 4 × 4 × 2, 8 → 4 × 4 × 2", "7 parameters · relu · bfloat16"),
        ),
        ({"input_shapes": ((5,),), "output_shape": (5,), "activation": "linear"}, ("5", "7 parameters · bfloat16")),
        ({"input_shapes": (), "output_shape": (), "parameters": 0, "activation": None, "dtype": None}, ("one number",)),
        ({"calls": 3, "parameters": 1}, ("? × 9 × 3 → 13 × 9 × 6", "1 parameter · relu · bfloat16 · called 3 times; drawn: the first")),
    ],
)
def test_the_rows_of_a_box(changes: dict[str, object], rows: tuple[str, ...]) -> None:
    box = layer_box(node("conv", **changes), Architecture())
    assert (box.name, box.type, box.details) == ("conv", "Conv2D", rows)


@pytest.mark.parametrize(
    ("off", "rows"),
    [
        ({"shapes": False}, ("7 parameters · relu · bfloat16",)),
        ({"dtypes": False}, ("? × 9 × 3 → 13 × 9 × 6", "7 parameters · relu")),
        ({"activations": False, "parameters": False}, ("? × 9 × 3 → 13 × 9 × 6", "bfloat16")),
    ],
)
def test_what_is_turned_off_is_not_there(off: dict[str, bool], rows: tuple[str, ...]) -> None:
    assert layer_box(node("conv"), Architecture.model_validate(off)).details == rows
    assert layer_box(node("conv"), Architecture(), "bfloat16").details == ("? × 9 × 3 → 13 × 9 × 6", "7 parameters · relu")


def test_dashes_have_their_lengths_and_go_around_corners() -> None:
    straight = list(dashes([(0.0, 0.0), (30.0, 0.0)]))
    assert straight[0] == ((0, 0), (DASH, 0))
    assert straight[1] == ((DASH + DASH_GAP, 0), (2 * DASH + DASH_GAP, 0))
    bent = list(dashes([(0.0, 0.0), (4.0, 0.0), (4.0, 30.0)]))
    assert bent[:2] == [((0, 0), (4, 0)), ((4, 0), (4, DASH - 4))]


def test_an_arrow_is_a_line_with_a_head() -> None:
    arrow = Arrow(((10, 0), (10, 5), (10, 10), (10, 21)), (10, 30), (0, 0, 0))
    assert arrow.line[0] == (10, 0)
    assert arrow.line[-1] == (10, 21)
    assert arrow.head == ((10, 30), (6.5, 21), (13.5, 21))


def test_pixels_of_shapes() -> None:
    line = ((50, 2), (50, 10), (50, 20), (50, 38))
    figure = VectorFigure(
        100,
        60,
        (
            Rectangle(10, 5, 20, 10, filling=(200, 0, 0)),
            Rectangle(10, 30, 20, 10, outline=(0, 0, 200)),
            Arrow(line, (50, 47), (0, 0, 0)),
            Arrow(tuple((x + 30, y) for x, y in line), (80, 47), (0, 0, 0), dashed=True),
        ),
    )
    drawn = pixels(figure)
    assert drawn.shape == (60, 100, 3)
    assert (drawn[5:15, 10:30] == (200, 0, 0)).all()
    assert (drawn[4, 10:30] == 255).all()
    assert (drawn[30, 10:30] == (0, 0, 200)).all()
    assert (drawn[35, 15:25] == 255).all()
    solid, dashed = drawn[4:36, 50].max(axis=1), drawn[4:36, 80].max(axis=1)
    assert (solid < 128).all()
    assert 0.3 < (dashed < 128).mean() < 0.75
    assert (drawn[42, 49:52] < 128).all()  # in the arrow's head
    half = pixels(figure, 0.5)
    assert half.shape == (30, 50, 3)
    assert (half[4, 8:12] == (200, 0, 0)).all()


@pytest.mark.parametrize(("size", "scale"), [((1000, 500), 1.0), ((1000, 32768), 0.5), ((16000, 8000), 0.5)])
def test_a_picture_that_would_be_too_large_is_smaller(size: tuple[int, int], scale: float) -> None:
    assert fitting_scale(VectorFigure(*size, ())) == scale


def test_title_and_legend_are_above_the_same_graph() -> None:
    found = placed(graph(node("first"), node("second", kind="pooling"), edges=(("first", "second"),)))
    bare, titled = graph_figure(found), graph_figure(found, ("Architecture", "tiny"), (LayerKind.CONV, LayerKind.POOLING))
    assert words(titled)[:3] == ["Architecture · tiny", "conv", "pooling"]
    assert words(titled)[3:] == words(bare)
    small, large = pixels(bare), pixels(titled)
    down, left = large.shape[0] - small.shape[0], (large.shape[1] - small.shape[1]) // 2
    np.testing.assert_array_equal(large[down + 16 : -16, left + 16 : -left - 16], small[16:-16, 16:-16])


def test_svg_says_the_same_and_parses() -> None:
    figure = VectorFigure(
        40, 30, (TextLine(1, 2, "a < b", 13, (34, 34, 34), bold=True), Arrow(((0, 0), (0, 1), (0, 2), (0, 3)), (0, 9), (1, 2, 3), True))
    )
    root = ET.fromstring(svg(figure))  # noqa: S314 - it was made a moment ago
    assert (root.get("width"), root.get("viewBox")) == ("40", "0 0 40 30")
    text, path = root.find(f"{SVG}text"), root.find(f"{SVG}path")
    assert text is not None
    assert path is not None
    assert (text.text, text.get("font-weight"), text.get("fill")) == ("a < b", "bold", "#222222")
    assert (path.get("stroke-dasharray"), path.get("stroke")) == ("6 5", "#010203")


def test_a_hostile_name_is_words_and_nothing_else() -> None:
    cluster = GraphCluster(path=HOSTILE, name=HOSTILE, type=HOSTILE, parameters=3, inside=None)
    found = graph(node(HOSTILE, name=HOSTILE, type=HOSTILE, dtype=HOSTILE, activation=HOSTILE, inside=HOSTILE), clusters=(cluster,))
    root = ET.fromstring(svg(graph_figure(placed(found), (HOSTILE,), (LayerKind.CONV,))))  # noqa: S314 - as above
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {"svg", "rect", "text"}
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    assert sum("<script>" in text for text in texts) >= 4
    assert not any(control in text for text in texts for control in "\x00\x1b")
