from __future__ import annotations

from pathlib import Path

import pytest

from rendering.graphs import graphviz
from rendering.graphs.graphviz import NotDrawn
from tests.rendering.graphs.test_dot import HAS_DOT

TWO = "digraph { bgcolor=white; node [shape=box, style=filled, fillcolor=red, color=red]; a -> b }"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path for a `dot` program of the test. There is no other one on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "dot"


def write(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_where_it_is_not_installed(program: Path) -> None:
    with pytest.raises(NotDrawn, match="not installed on this worker"):
        graphviz.svg(TWO)


def test_it_is_given_up_after_its_time(program: Path) -> None:
    write(program, "exec /bin/sleep 60")
    with pytest.raises(NotDrawn, match=r"more than 0\.2 seconds"):
        graphviz.svg(TWO, seconds=0.2)


def test_it_fails_in_words(program: Path) -> None:
    write(program, "echo 'Error: syntax error in line 1' >&2; exit 1")
    with pytest.raises(NotDrawn, match="Graphviz failed: Error: syntax error in line 1"):
        graphviz.svg(TWO)
    write(program, "exit 3")
    with pytest.raises(NotDrawn, match="exit status 3"):
        graphviz.png(TWO, 72)


def test_a_picture_that_is_none(program: Path) -> None:
    write(program, "echo nonsense")
    with pytest.raises(NotDrawn, match="cannot be read"):
        graphviz.png(TWO, 72)
    with pytest.raises(NotDrawn, match="without a size"):
        graphviz.fitting_dpi(graphviz.svg(TWO))


@HAS_DOT
def test_pixels_have_the_drawings_size_and_colours() -> None:
    drawing = graphviz.svg(TWO)
    found = graphviz.png(TWO, 144)
    width, height = size(drawing)
    assert found.shape == (pytest.approx(2 * height, abs=2), pytest.approx(2 * width, abs=2), 3)
    assert (found[0, 0] == 255).all()
    assert (found == (255, 0, 0)).all(axis=2).mean() > 0.3


def size(drawing: str) -> tuple[float, float]:
    head = drawing[drawing.index("<svg") :]
    width, height = (float(head.split(f'{side}="')[1].split("pt")[0]) for side in ("width", "height"))
    return width, height


@pytest.mark.parametrize(
    ("width", "height", "dpi"),
    [
        (720, 360, 96.0),
        (720, 72 * 1000, 16.384),  # the longest side has 1,000 inches in 16,384 pixels
        (72 * 100, 72 * 80, (32_000_000 / 8000) ** 0.5),  # the whole has 8,000 square inches in 32 million pixels
    ],
)
def test_a_large_drawing_has_fewer_dots_an_inch(width: float, height: float, dpi: float) -> None:
    assert graphviz.fitting_dpi(f'<?xml?>\n<svg width="{width}pt" height="{height}pt" viewBox="0 0 1 1">') == pytest.approx(dpi)
