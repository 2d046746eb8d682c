from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rendering.graphs import graphviz
from rendering.graphs.dot import dot
from schemas.methods.inspection.architecture import Architecture, ArchitectureFacts, ArchitectureGraph
from tests.rendering.graphs.test_dot import HAS_DOT
from tests.workers.methods.inspection.test_model_graph import described
from workers.contract.artifacts import Document, Output, Picture
from workers.methods.inspection import architecture
from workers.methods.inspection.model_graph import graph_of


def made(name: str, **params: object) -> Output:
    return architecture.draw(described(name), None, Architecture.model_validate(params))


def documents(output: Output) -> dict[str, Document]:
    return {artifact.name: artifact for artifact in output.artifacts if isinstance(artifact, Document)}


@pytest.fixture
def no_graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("dot") is None


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_there_are_dot_and_json_and_a_clear_warning() -> None:
    output = made("nested", direction="LR")
    params, expected = Architecture(direction="LR"), graph_of(described("nested"), Architecture(direction="LR"))
    assert [artifact.name for artifact in output.artifacts] == ["dot", "json"]
    (warning,) = output.warnings
    assert warning == (
        "There is only DOT and JSON, no drawing: Graphviz is not installed on this worker (its program `dot` is not on the PATH)."
    )
    texts = documents(output)
    assert texts["dot"].media_type == "text/vnd.graphviz"
    assert texts["dot"].text == dot(expected, params)
    assert texts["json"].media_type == "application/json"
    assert ArchitectureGraph.model_validate_json(texts["json"].text) == expected
    assert output.facts == ArchitectureFacts(nodes=8, edges=7, clusters=1, parameters=described("nested").parameters)


@HAS_DOT
def test_with_graphviz_there_is_the_picture_too() -> None:
    output = made("nested_head")
    assert [artifact.name for artifact in output.artifacts] == ["drawing", "svg", "dot", "json"]
    assert output.warnings == ()
    drawing = output.artifacts[0]
    assert isinstance(drawing, Picture)
    assert drawing.primary
    blue, red, frame = (31, 95, 168), (176, 42, 55), (32, 112, 124)
    shares = {colour: (np.abs(drawing.image.astype(int) - colour) <= 2).all(axis=2).mean() for colour in (blue, red, frame)}
    assert all(share > 0.003 for share in shares.values()), shares
    svg = documents(output)["svg"]
    assert svg.media_type == "image/svg+xml"
    assert "GlobalAveragePooling2D" in svg.text
    assert json.loads(documents(output)["json"].text)["direction"] == "TB"


@HAS_DOT
def test_directions_differ() -> None:
    wide, tall = made("functional", direction="LR").artifacts[0], made("functional", direction="BT").artifacts[0]
    assert isinstance(wide, Picture)
    assert isinstance(tall, Picture)
    assert wide.image.shape[1] > 3 * wide.image.shape[0]
    assert tall.image.shape[0] > tall.image.shape[1]


def test_a_graph_too_large_to_lay_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(architecture, "MOST_NODES", 6)
    output = made("functional")
    assert [artifact.name for artifact in output.artifacts] == ["dot", "json"]
    assert "has 7 layers, but at most 6 can be drawn" in output.warnings[0]
    monkeypatch.setattr(architecture, "MOST_NODES", 7)
    assert not made("functional").warnings or shutil.which("dot") is None


@HAS_DOT
def test_a_drawing_too_large_for_a_readable_png_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphviz, "LONGEST_SIDE", 200)
    output = made("functional")
    assert "dots per inch. The SVG can be enlarged." in output.warnings[0]
    drawing = output.artifacts[0]
    assert isinstance(drawing, Picture)
    assert 150 <= max(drawing.image.shape) <= 205


@pytest.mark.usefixtures("no_graphviz")
def test_layers_that_are_called_more_than_once_are_named() -> None:
    warnings = made("shared_layer").warnings
    assert warnings[-1] == "These layers are called more than once; only their first call is in the graph: shared."
