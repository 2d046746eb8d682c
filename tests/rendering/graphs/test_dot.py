from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

from rendering.graphs.dot import dot
from schemas.methods.inspection.architecture import Architecture, ArchitectureGraph, GraphCluster, GraphEdge, GraphNode
from schemas.models import LayerKind

HAS_DOT = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz, which only these tests use, is not installed")


def drawn(source: str) -> str:
    """Return the SVG that Graphviz draws of a graph in DOT."""
    return subprocess.run(["dot", "-Tsvg"], input=source, capture_output=True, text=True, check=True, timeout=60).stdout


def node(path: str, **changes: object) -> GraphNode:
    fields: dict[str, object] = {
        "path": path,
        "name": path.rsplit("/", 1)[-1],
        "type": "Conv2D",
        "kind": LayerKind.CONV,
        "input_shapes": ((None, 9, 3),),
        "output_shape": (13, 9, 6),
        "dtype": "bfloat16",
        "activation": "relu",
        "parameters": 7,
        "calls": 1,
        "inside": None,
    }
    return GraphNode.model_validate(fields | changes)


def graph(*nodes: GraphNode, clusters: tuple[GraphCluster, ...] = (), edges: tuple[tuple[str, str], ...] = ()) -> ArchitectureGraph:
    joined = tuple(GraphEdge(source=source, target=target) for source, target in edges)
    return ArchitectureGraph(model="tiny", direction="LR", nodes=nodes, edges=joined, clusters=clusters)


def test_what_a_box_shows() -> None:
    text = dot(graph(node("conv"), node("photo", kind="input", input_shapes=(), activation=None)), Architecture())
    first, second = (line for line in text.splitlines() if "[label=" in line)
    for words in ("<b>conv</b> (Conv2D)", "Input: <b>(None, None, 9, 3)</b>", "Output: <b>(None, 13, 9, 6)</b>", "Type: <b>bfloat16</b>"):
        assert words in first
    assert "Activation: <b>relu</b>" in first
    assert "Called" not in first
    assert "Input:" not in second
    assert "Activation" not in second
    assert "rankdir=LR" in text


@pytest.mark.parametrize(
    ("off", "gone"), [({"shapes": False}, "Output:"), ({"dtypes": False}, "bfloat16"), ({"activations": False}, "relu")]
)
def test_what_is_turned_off_is_not_there(off: dict[str, bool], gone: str) -> None:
    found = graph(node("conv"))
    assert gone in dot(found, Architecture())
    assert gone not in dot(found, Architecture.model_validate(off))


def test_several_inputs_no_shape_and_several_calls() -> None:
    text = dot(graph(node("add", input_shapes=((3,), (None,)), output_shape=(), calls=3)), Architecture())
    assert "Input: <b>(None, 3), (None, None)</b>" in text
    assert "Output: <b>(None,)</b>" in text
    assert "Called: <b>3 times; drawn: the first</b>" in text


def test_clusters_hold_their_nodes_and_clusters() -> None:
    outer = GraphCluster(path="base", name="base", type="Functional", parameters=3, inside=None)
    inner = GraphCluster(path="base/deep", name="deep", type="Sequential", parameters=3, inside="base")
    text = dot(
        graph(
            node("photo"),
            node("base/conv", inside="base"),
            node("base/deep/conv", inside="base/deep"),
            clusters=(outer, inner),
            edges=(("photo", "base/conv"), ("base/conv", "base/deep/conv")),
        ),
        Architecture(),
    )
    lines = [line.split("[")[0].strip() for line in text.splitlines()][4:]
    assert lines == [
        "n0",
        "subgraph cluster_0 {",
        "graph",
        "n1",
        "subgraph cluster_1 {",
        "graph",
        "n2",
        "}",
        "}",
        "n0 -> n1",
        "n1 -> n2",
        "}",
    ]


def test_connections_that_leave_the_graph_are_dashed_and_named() -> None:
    found = graph(node("conv")).model_copy(
        update={"cut": (GraphEdge(source="photo<", target="conv"), GraphEdge(source="conv", target="add"))}
    )
    lines = dot(found, Architecture()).splitlines()
    assert lines[-5:-1] == [
        '  o0 [label=<<font point-size="12" color="#5f5f5f">from photo&lt;</font>>]',
        "  o0 -> n0 [style=dashed]",
        '  o1 [label=<<font point-size="12" color="#5f5f5f">to add</font>>]',
        "  n0 -> o1 [style=dashed]",
    ]


HOSTILE = '<script>alert(1)</script>"]; evil [image="/etc/passwd"]; \\N \x00\x1b & é層'


@HAS_DOT
def test_a_hostile_name_is_words_and_nothing_else() -> None:
    cluster = GraphCluster(path=HOSTILE, name=HOSTILE, type=HOSTILE, parameters=3, inside=None)
    found = graph(node(HOSTILE, name=HOSTILE, type=HOSTILE, dtype=HOSTILE, activation=HOSTILE, inside=HOSTILE), clusters=(cluster,))
    drawing = drawn(dot(found.model_copy(update={"model": HOSTILE}), Architecture()))
    root = ET.fromstring(drawing)  # noqa: S314 - Graphviz made it a moment ago
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "title", "polygon", "path", "text", "polyline"}
    words = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert sum('<script>alert(1)</script>"]; evil [image="/etc/passwd"]; \N{SET MINUS}N ?? & é層' in text for text in words) == 6
    assert len([element for element in root.iter() if element.get("class") == "node"]) == 1


def test_a_very_long_name_is_cut() -> None:
    text = dot(graph(node("x" * 400)), Architecture())
    assert "x" * 79 + "…" in text
    assert "x" * 80 not in text


@HAS_DOT
def test_graphviz_draws_what_is_there() -> None:
    found = graph(node("first"), node("second"), edges=(("first", "second"),))
    root = ET.fromstring(drawn(dot(found, Architecture())))  # noqa: S314
    words = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"first", "second", "relu", "(None, 13, 9, 6)"} <= set(words)
    assert [element.get("class") for element in root.iter() if element.get("class") in ("node", "edge")] == ["node", "node", "edge"]
