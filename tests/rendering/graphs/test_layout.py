from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from rendering.graphs.boxes import LayerBox, layer_box
from rendering.graphs.columns import graph_columns
from rendering.graphs.layout import laid_out
from rendering.graphs.placed import PlacedBox, PlacedGraph
from schemas.methods.inspection.architecture import Architecture, ArchitectureGraph, Direction, GraphCluster, GraphEdge
from tests.rendering.graphs.test_dot import graph, node


def cluster(path: str, inside: str | None = None) -> GraphCluster:
    return GraphCluster(path=path, name=path, type="Functional", parameters=3, inside=inside)


def placed(found: ArchitectureGraph, direction: Direction = "TB", columns: int | None = None) -> PlacedGraph:
    turned = found.model_copy(update={"direction": direction})
    boxes = [layer_box(each, Architecture()) for each in turned.nodes]
    return laid_out(turned, boxes, graph_columns(turned, boxes, columns))


def by_name(found: PlacedGraph) -> dict[str, PlacedBox]:
    return {each.box.name: each for each in found.boxes}


def overlap(one: PlacedBox, other: PlacedBox) -> bool:
    return (
        one.left < other.left + other.box.width
        and other.left < one.left + one.box.width
        and one.top < other.top + other.box.height
        and other.top < one.top + one.box.height
    )


def middle(each: PlacedBox) -> tuple[float, float]:
    return each.left + each.box.width / 2, each.top + each.box.height / 2


TOWERS = graph(
    node("photo", kind="input"),
    *(node(f"{side}/{name}", inside=side) for side in ("left", "right") for name in ("a", "b")),
    node("left/deep/c", inside="left/deep"),
    node("both", kind="merge"),
    clusters=(cluster("left"), cluster("right"), cluster("left/deep", "left")),
    edges=(
        ("photo", "left/a"),
        ("photo", "right/a"),
        ("left/a", "left/b"),
        ("right/a", "right/b"),
        ("left/b", "left/deep/c"),
        ("left/deep/c", "both"),
        ("right/b", "both"),
    ),
)
TOWERS = TOWERS.model_copy(update={"nodes": tuple(each.model_copy(update={"name": each.path}) for each in TOWERS.nodes)})


@pytest.mark.parametrize("direction", ["TB", "BT", "LR", "RL"])
def test_edges_lead_in_the_direction_and_boxes_keep_apart(direction: Direction) -> None:
    found = placed(TOWERS, direction)
    boxes = by_name(found)
    assert not any(overlap(one, other) for one, other in combinations(found.boxes, 2))
    axis, sign = (1 if direction in ("TB", "BT") else 0), (1 if direction in ("TB", "LR") else -1)
    for edge in TOWERS.edges:
        assert sign * (middle(boxes[edge.target])[axis] - middle(boxes[edge.source])[axis]) > 0, edge
    assert len(found.arrows) == len(TOWERS.edges)
    assert all(0 <= x <= found.width and 0 <= y <= found.height for arrow in found.arrows for x, y in (*arrow.points, arrow.tip))


@pytest.mark.parametrize("direction", ["TB", "BT", "LR", "RL"])
def test_a_frame_is_around_its_own_layers_and_no_others(direction: Direction) -> None:
    found = placed(TOWERS, direction)
    assert len(found.frames) == 3
    for frame, path in zip(found.frames, ("left", "right", "left/deep"), strict=True):
        assert frame.title == f"{path} · Functional · 3 parameters"
        for each in found.boxes:
            x, y = middle(each)
            is_in = frame.left < x < frame.left + frame.width and frame.top < y < frame.top + frame.height
            assert is_in == each.box.name.startswith(f"{path}/"), (path, each.box.name)
            if is_in:  # with room for the title above
                assert frame.left < each.left
                assert each.left + each.box.width < frame.left + frame.width
                assert frame.top + 20 < each.top
                assert each.top + each.box.height < frame.top + frame.height


def test_each_arrow_begins_and_ends_at_its_boxes() -> None:
    found = placed(TOWERS)
    boxes = by_name(found)
    touched = {
        (source.box.name, target.box.name)
        for arrow in found.arrows
        for source in found.boxes
        for target in found.boxes
        if arrow.points[0][1] == pytest.approx(source.top + source.box.height)
        and source.left < arrow.points[0][0] < source.left + source.box.width
        if arrow.tip[1] == pytest.approx(target.top) and target.left < arrow.tip[0] < target.left + target.box.width
    }
    assert touched == {(edge.source, edge.target) for edge in TOWERS.edges}
    assert boxes["photo"].top == min(each.top for each in found.boxes)


def chain(count: int) -> ArchitectureGraph:
    """Return a chain of layers, with an edge around the layers 8 and 9."""
    names = [f"{chr(ord('a') + number % 26)}{number}" for number in range(count)]
    edges = [*pairwise(names), (names[7], names[10])]
    return graph(*(node(name) for name in names), edges=tuple(edges))


def boxes_of(found: ArchitectureGraph) -> list[LayerBox]:
    return [layer_box(each, Architecture()) for each in found.nodes]


def test_a_long_chain_is_divided_and_a_stub_says_where_it_goes_on() -> None:
    found = chain(20)
    first, second = graph_columns(found, boxes_of(found), 2)
    assert (first.nodes, second.nodes) == (tuple(range(11)), tuple(range(11, 20)))  # not between 7 and 10, where two edges would be cut
    assert [(stub.node, stub.incoming, stub.words) for stub in first.stubs] == [(10, False, "to l11")]
    assert [(stub.node, stub.incoming, stub.words) for stub in second.stubs] == [(11, True, "from k10")]
    assert len(first.edges) + len(second.edges) == len(found.edges) - 1
    drawn = placed(found, columns=2)
    assert [arrow.dashed for arrow in drawn.arrows].count(True) == 2
    assert [stub.words for stub in drawn.stubs] == ["to l11", "from k10"]
    assert by_name(drawn)["l11"].left > by_name(drawn)["k10"].left + by_name(drawn)["k10"].box.width


def test_columns_are_chosen_by_the_length_of_the_graph() -> None:
    short, long = chain(12), chain(200)
    assert len(graph_columns(short, boxes_of(short), None)) == 1
    drawn = placed(long)
    assert 0.5 < drawn.width / drawn.height < 2
    assert sum(len(column.nodes) for column in graph_columns(long, boxes_of(long), None)) == 200


def test_the_ends_of_a_part_are_stubs_too() -> None:
    found = graph(node("conv"), node("add"), edges=(("conv", "add"),)).model_copy(
        update={
            "cut": (
                GraphEdge(source="photo", target="conv"),
                GraphEdge(source="photo", target="add"),
                *(GraphEdge(source="add", target=name) for name in ("x", "y", "z", "w")),
            )
        }
    )
    drawn = placed(found)
    assert sorted(stub.words for stub in drawn.stubs) == ["from photo", "from photo", "to x, y and 2 more"]
    assert [arrow.dashed for arrow in drawn.arrows].count(True) == 3
    add, conv = by_name(drawn)["add"], by_name(drawn)["conv"]
    assert middle(add)[0] == pytest.approx(middle(conv)[0], abs=1)  # stubs give way
