"""Write the model's graph as DOT and JSON, and draw it if Graphviz is installed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from rendering.graphs import graphviz
from rendering.graphs.dot import dot
from rendering.photo import Photo
from schemas.methods.inspection.architecture import Architecture, ArchitectureFacts
from schemas.models import ModelDescription
from workers.contract.artifacts import Document, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.inspection.model_graph import graph_of

MOST_NODES = 2000  # a larger graph is not drawn
READABLE_DPI = 60.0  # a PNG with fewer dots per inch has a warning


def batch_key(params: Architecture) -> Hashable:
    """All jobs of a model run as one batch, because they read the same description."""
    return None


def run(probe: Probe, inputs: Inputs, params: Sequence[Architecture]) -> list[ModelDescription]:
    """Return the model's description for each job of the batch."""
    del inputs
    return [probe.description] * len(params)


def draw(result: ModelDescription, photo: Photo | None, params: Architecture) -> Output:
    """Write the graph as DOT and JSON, and draw it as PNG and SVG if Graphviz can."""
    del photo
    graph = graph_of(result, params)
    source = dot(graph, params)
    drawn, warnings = _drawn(source, len(graph.nodes))
    shared = [node.path for node in graph.nodes if node.calls > 1]
    if shared:
        names = ", ".join(shared[:5]) + (", …" if len(shared) > 5 else "")
        warnings += (f"These layers are called more than once; only their first call is in the graph: {names}.",)
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
    """Return the PNG and the SVG, and the warnings. If the graph cannot be drawn, only a warning is returned."""
    if nodes > MOST_NODES:
        warning = (
            f"There is only DOT and JSON, no drawing: the graph has {nodes:,} layers, but at most {MOST_NODES:,} can be drawn. Ask for a "
            f"part "
            "with first_layer and last_layer, or set unfold to false."
        )
        return (), (warning,)
    try:
        vector = graphviz.svg(source)
        dpi = graphviz.fitting_dpi(vector)
        picture = graphviz.png(source, dpi)
    except graphviz.NotDrawn as reason:
        return (), (f"There is only DOT and JSON, no drawing: {reason}",)
    small = (
        (f"The graph is so large that the PNG has only {dpi:.0f} dots per inch. The SVG can be enlarged.",) if dpi < READABLE_DPI else ()
    )
    return (Picture("drawing", picture, primary=True), Document("svg", "image/svg+xml", vector)), small
