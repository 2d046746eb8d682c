from __future__ import annotations

from functools import cache
from pathlib import Path

import keras
import pytest
from keras import layers

from schemas.methods.inspection.architecture import Architecture, ArchitectureGraph
from schemas.models import ModelDescription
from tests.workers.models.entries import file_entry
from tests.zoo import ZOO
from workers.methods.inspection.model_graph import graph_of
from workers.models.description.describe import describe


@cache
def described(name: str) -> ModelDescription:
    return describe(ZOO[name](), file_entry(Path(f"{name}.keras"))).description


def graph(name: str, **params: object) -> ArchitectureGraph:
    return graph_of(described(name), Architecture.model_validate(params))


def edges(found: ArchitectureGraph) -> list[tuple[str, str]]:
    return [(edge.source, edge.target) for edge in found.edges]


def test_a_plain_model() -> None:
    found = graph("functional")
    assert [node.path for node in found.nodes] == ["photo", "conv1", "pool1", "conv2", "flatten", "hidden", "predictions"]
    assert edges(found) == [
        ("photo", "conv1"),
        ("conv1", "pool1"),
        ("pool1", "conv2"),
        ("conv2", "flatten"),
        ("flatten", "hidden"),
        ("hidden", "predictions"),
    ]
    pool = found.nodes[2]
    assert (pool.type, pool.input_shapes, pool.output_shape, pool.dtype) == ("MaxPooling2D", ((13, 9, 6),), (6, 9, 6), "float32")
    assert (found.nodes[-1].activation, found.nodes[-1].parameters, found.nodes[0].input_shapes) == ("softmax", 7 * 5 + 5, ())
    assert found.clusters == ()


def test_nested_models_are_frames_and_edges_go_to_what_is_inside() -> None:
    found = graph("nested_head")
    assert [(cluster.path, cluster.type, cluster.inside) for cluster in found.clusters] == [
        ("base", "Functional", None),
        ("head", "Sequential", None),
    ]
    assert [(node.name, node.inside) for node in found.nodes] == [
        ("photo", None),
        ("inner_photo", "base"),
        ("conv1", "base"),
        ("pool1", "base"),
        ("conv2", "base"),
        ("features", "head"),
        ("gap", "head"),
        ("scores", "head"),
        ("softmax", "head"),
    ]
    assert ("photo", "base/inner_photo") in edges(found)
    assert ("base/conv2", "head/features") in edges(found)
    assert len(found.edges) == 8
    assert found.nodes[5].input_shapes == ((4, 8, 8),)


def test_nested_models_as_one_box_each() -> None:
    found = graph("nested_head", unfold=False)
    assert [(node.path, node.type, node.inside) for node in found.nodes] == [
        ("photo", "InputLayer", None),
        ("base", "Functional", None),
        ("head", "Sequential", None),
    ]
    assert edges(found) == [("photo", "base"), ("base", "head")]
    assert found.clusters == ()
    base = found.nodes[1]
    assert (base.input_shapes, base.output_shape, base.parameters) == (((13, 9, 3),), (4, 8, 8), 168 + 8 * 36 + 8)
    assert found.nodes[2].input_shapes == ((4, 8, 8),)


def three_deep() -> ModelDescription:
    photo = keras.Input((13, 9, 3), name="photo")
    innermost = keras.Sequential([keras.Input((13, 9, 3), name="a"), layers.Conv2D(2, 3, name="conv")], name="innermost")
    inner = keras.Input((13, 9, 3), name="b")
    middle = keras.Model(inner, layers.ReLU(name="relu")(innermost(inner)), name="middle")
    x = layers.Flatten(name="flat")(middle(photo))
    return describe(keras.Model(photo, layers.Dense(2, name="scores")(x)), file_entry(Path("deep.keras"))).description


def test_models_inside_models() -> None:
    description = three_deep()
    found = graph_of(description, Architecture())
    assert [(cluster.path, cluster.name, cluster.inside) for cluster in found.clusters] == [
        ("middle", "middle", None),
        ("middle/innermost", "innermost", "middle"),
    ]
    assert [(node.name, node.inside) for node in found.nodes][1:5] == [
        ("b", "middle"),
        ("a", "middle/innermost"),
        ("conv", "middle/innermost"),
        ("relu", "middle"),
    ]
    assert edges(found)[1:3] == [("middle/b", "middle/innermost/a"), ("middle/innermost/a", "middle/innermost/conv")]
    assert ("middle/innermost/conv", "middle/relu") in edges(found)
    assert ("middle/relu", "flat") in edges(found)
    folded = graph_of(description, Architecture(unfold=False))
    assert edges(folded) == [("photo", "middle"), ("middle", "flat"), ("flat", "scores")]


def test_several_inputs_join() -> None:
    found = graph("two_inputs")
    (both,) = (node for node in found.nodes if node.path == "both")
    assert both.input_shapes == ((8,), (3,))
    assert {source for source, target in edges(found) if target == "both"} == {"gap", "embedded"}


def test_a_shared_layer_is_there_once_and_says_how_often_it_is_called() -> None:
    found = graph("shared_layer")
    assert [(node.path, node.calls) for node in found.nodes[:3]] == [("photo", 1), ("shared", 2), ("gap", 1)]
    assert edges(found)[:2] == [("photo", "shared"), ("shared", "gap")]


@pytest.mark.parametrize(
    ("part", "nodes", "joined"),
    [
        ({"first_layer": "pool1", "last_layer": "flatten"}, ["pool1", "conv2", "flatten"], [("pool1", "conv2"), ("conv2", "flatten")]),
        ({"last_layer": "conv1"}, ["photo", "conv1"], [("photo", "conv1")]),
        ({"first_layer": "predictions"}, ["predictions"], []),
    ],
)
def test_a_part_of_the_graph(part: dict[str, str], nodes: list[str], joined: list[tuple[str, str]]) -> None:
    found = graph("functional", **part)
    assert [node.path for node in found.nodes] == nodes
    assert edges(found) == joined


@pytest.mark.parametrize("name", sorted(ZOO))
def test_every_model_of_the_zoo_is_one_piece(name: str) -> None:
    """Every edge joins two nodes, every cluster has nodes, and every node but an input has an edge that leads to it."""
    for unfold in (True, False):
        found = graph(name, unfold=unfold)
        paths = {node.path for node in found.nodes}
        assert {path for edge in edges(found) for path in edge} <= paths
        assert all(any(node.inside == cluster.path for node in found.nodes) for cluster in found.clusters)
        reached = {target for _, target in edges(found)}
        inputs = {node.path for node in found.nodes if node.kind == "input" and node.inside is None}
        assert paths == reached | inputs
