from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from rendering.graphs import pixels
from rendering.graphs.dot import dot
from schemas.methods.inspection.architecture import Architecture, ArchitectureFacts, ArchitectureGraph
from tests.workers.methods.inspection.test_model_graph import described
from workers.contract.artifacts import Document, Output, Picture
from workers.methods.inspection import architecture
from workers.methods.inspection.model_graph import graph_of


def made(name: str, **params: object) -> Output:
    return architecture.draw(described(name), None, Architecture.model_validate(params))


def documents(output: Output) -> dict[str, Document]:
    return {artifact.name: artifact for artifact in output.artifacts if isinstance(artifact, Document)}


def drawing(output: Output) -> np.ndarray:
    (picture,) = (artifact for artifact in output.artifacts if isinstance(artifact, Picture))
    assert (picture.name, picture.primary) == ("drawing", True)
    return picture.image


def words(output: Output) -> list[str]:
    root = ET.fromstring(documents(output)["svg"].text)  # noqa: S314 - it was made a moment ago
    return [element.text or "" for element in root.iter() if element.tag.endswith("text")]


def test_all_forms_of_the_graph_are_made_without_any_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("dot") is None
    output = made("nested_head", direction="LR")
    params, expected = Architecture(direction="LR"), graph_of(described("nested_head"), Architecture(direction="LR"))
    assert [artifact.name for artifact in output.artifacts] == ["drawing", "svg", "dot", "json"]
    assert output.warnings == ()
    texts = documents(output)
    assert [texts[name].media_type for name in ("svg", "dot", "json")] == ["image/svg+xml", "text/vnd.graphviz", "application/json"]
    assert texts["dot"].text == dot(expected, params)
    assert ArchitectureGraph.model_validate_json(texts["json"].text) == expected
    assert output.facts == ArchitectureFacts(nodes=9, edges=8, clusters=2, parameters=described("nested_head").parameters)


def test_boxes_have_the_colours_of_their_kinds_and_frames_theirs() -> None:
    output = made("nested_head")
    image = drawing(output)
    blue, red, frame = (31, 95, 168), (176, 42, 55), (32, 112, 124)
    shares = {colour: (image == colour).all(axis=2).mean() for colour in (blue, red, frame)}
    assert all(share > 0.001 for share in shares.values()), shares
    assert "base · Functional · 464 parameters" in words(output)
    assert json.loads(documents(output)["json"].text)["direction"] == "TB"


def test_the_title_and_the_bare_drawing() -> None:
    output, bare = made("functional"), made("functional", annotate=False)
    title, *legend = words(output)[:6]
    assert title == "Architecture · functional · 7 layers · 2,152 parameters · float32" or title.startswith(
        "Architecture · functional · 7 layers"
    )
    assert legend == ["input", "conv", "pooling", "reshape", "dense"]
    assert "Architecture" not in " ".join(words(bare))
    assert not any("float32" in row for row in words(output) if row != title)
    assert sum("float32" in row for row in words(bare)) == 7  # without a title, each box says it
    assert drawing(bare).shape[0] < drawing(output).shape[0]


def test_a_part_says_what_it_is_joined_to() -> None:
    output = made("functional", first_layer="pool1", last_layer="flatten")
    assert [row for row in words(output) if row.startswith(("from ", "to "))] == ["from conv1", "to hidden"]
    assert documents(output)["svg"].text.count("stroke-dasharray") == 2
    assert " of " in words(output)[0] + words(output)[1]  # so many of all parameters
    graph = ArchitectureGraph.model_validate_json(documents(output)["json"].text)
    assert [(edge.source, edge.target) for edge in graph.cut] == [("conv1", "pool1"), ("flatten", "hidden")]
    assert documents(output)["dot"].text.count("style=dashed") == 2
    assert "stroke-dasharray" not in documents(made("functional"))["svg"].text


def test_directions_differ() -> None:
    wide, tall = drawing(made("functional", direction="LR", annotate=False)), drawing(made("functional", direction="BT", annotate=False))
    assert wide.shape[1] > 3 * wide.shape[0]
    assert tall.shape[0] > tall.shape[1]


def test_columns_are_drawn_side_by_side() -> None:
    one, two = (drawing(made("functional", columns=columns, annotate=False)) for columns in (1, 2))
    assert two.shape[1] > 1.5 * one.shape[1]
    assert two.shape[0] < 0.75 * one.shape[0]


def test_a_drawing_too_large_for_a_readable_png_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "LONGEST_SIDE", 200)
    output = made("functional")
    assert "of its size. The SVG can be enlarged" in output.warnings[0]
    assert 195 <= max(drawing(output).shape) <= 200


def test_layers_that_are_called_more_than_once_are_named() -> None:
    warnings = made("shared_layer").warnings
    assert warnings[-1] == "These layers are called more than once; only their first call is in the graph: shared."
