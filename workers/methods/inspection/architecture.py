"""The model's graph: drawn by Graphviz where it is installed, and as DOT and JSON in any case."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from schemas.methods.inspection.architecture import Architecture, ArchitectureFacts
from schemas.models import ModelDescription
from workers.contract.artifacts import Document, Output, Picture
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.methods.inspection.model_graph import graph_of
from workers.rendering.graphs import graphviz
from workers.rendering.graphs.dot import dot

MOST_NODES = 2000  # that are laid out
READABLE_DPI = 60.0


def batch_key(params: Architecture) -> Hashable:
    """All jobs of a model read the same description."""
    return None


def run(probe: Probe, inputs: Inputs, params: Sequence[Architecture]) -> list[ModelDescription]:
    del inputs
    return [probe.description] * len(params)


def draw(result: ModelDescription, photo: Photo | None, params: Architecture) -> Output:
    del photo
    graph = graph_of(result, params)
    source = dot(graph, params)
    drawn, warnings = _drawn(source, len(graph.nodes))
    shared = [node.path for node in graph.nodes if node.calls > 1]
    if shared:
        names = ", ".join(shared[:5]) + (", …" if len(shared) > 5 else "")
        warnings += (f"Called more than once, and in the graph by their first call alone: {names}.",)
    return Output(
        (
            *drawn,
            Document("dot", "text/vnd.graphviz", source),
            Document("json", "application/json", graph.model_dump_json()),
        ),
        ArchitectureFacts(nodes=len(graph.nodes), edges=len(graph.edges), clusters=len(graph.clusters), parameters=result.parameters),
        warnings,
    )


def _drawn(source: str, nodes: int) -> tuple[tuple[Picture | Document, ...], tuple[str, ...]]:
    """PNG and SVG, or what stood in the way."""
    if nodes > MOST_NODES:
        part = "ask for a part with first_layer and last_layer, or with unfold false"
        return (), (f"No drawing, only DOT and JSON: the graph has {nodes:,} layers, and at most {MOST_NODES:,} are laid out; {part}.",)
    try:
        vector = graphviz.svg(source)
        dpi = graphviz.fitting_dpi(vector)
        picture = graphviz.png(source, dpi)
    except graphviz.NotDrawn as reason:
        return (), (f"No drawing, only DOT and JSON: {reason}",)
    small = (f"The graph is so large that the PNG has {dpi:.0f} dots an inch; the SVG can be enlarged.",) if dpi < READABLE_DPI else ()
    return (Picture("drawing", picture, primary=True), Document("svg", "image/svg+xml", vector)), small
