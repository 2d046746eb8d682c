"""Draw the model's graph, and write it as DOT and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from rendering.graphs.boxes import counted, layer_box
from rendering.graphs.columns import graph_columns
from rendering.graphs.dot import dot
from rendering.graphs.graph_figure import graph_figure
from rendering.graphs.layout import laid_out
from rendering.graphs.pixels import fitting_scale, pixels
from rendering.graphs.svg import svg
from rendering.photo import Photo
from schemas.methods.inspection.architecture import Architecture, ArchitectureFacts, ArchitectureGraph
from schemas.models import ModelDescription
from workers.contract.artifacts import Document, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.inspection.model_graph import graph_of

READABLE_SCALE = 0.6  # a smaller PNG has a warning


def batch_key(params: Architecture) -> Hashable:
    """All jobs of a model run as one batch, because they read the same description."""
    return None


def run(probe: Probe, inputs: Inputs, params: Sequence[Architecture]) -> list[ModelDescription]:
    """Return the model's description for each job of the batch."""
    del inputs
    return [probe.description] * len(params)


def draw(result: ModelDescription, photo: Photo | None, params: Architecture) -> Output:
    """Draw the graph as PNG and SVG, and write it as DOT and JSON."""
    del photo
    graph = graph_of(result, params)
    usual = usual_dtype(graph) if params.annotate and params.dtypes else None  # the title says it once
    boxes = [layer_box(node, params, usual) for node in graph.nodes]
    columns = graph_columns(graph, boxes, params.columns)
    placed = laid_out(graph, boxes, columns)
    kinds = tuple(dict.fromkeys(node.kind for node in graph.nodes))
    figure = graph_figure(placed, _title(graph, result, usual), kinds) if params.annotate else graph_figure(placed)
    scale = fitting_scale(figure)
    return Output(
        (
            Picture("drawing", pixels(figure, scale), primary=True),
            Document("svg", "image/svg+xml", svg(figure)),
            Document("dot", "text/vnd.graphviz", dot(graph, params)),
            Document("json", "application/json", graph.model_dump_json()),
        ),
        ArchitectureFacts(nodes=len(graph.nodes), edges=len(graph.edges), clusters=len(graph.clusters), parameters=result.parameters),
        tuple(_warnings(graph, scale)),
    )


def usual_dtype(graph: ArchitectureGraph) -> str | None:
    """Return the dtype that most layers of the graph have."""
    counts = Counter(node.dtype for node in graph.nodes if node.dtype is not None)
    return max(counts, key=counts.__getitem__, default=None)


def _title(graph: ArchitectureGraph, model: ModelDescription, usual: str | None) -> tuple[str, ...]:
    parameters = sum(node.parameters for node in graph.nodes)
    size = counted(parameters) if parameters == model.parameters else f"{parameters:,} of {counted(model.parameters)}"
    layers = len(graph.nodes)
    dtype = () if usual is None else (usual,)
    return (Architecture.card.title, graph.model, f"{layers:,} layer{'s' * (layers != 1)}", size, *dtype)


def _warnings(graph: ArchitectureGraph, scale: float) -> list[str]:
    warnings: list[str] = []
    if scale < READABLE_SCALE:
        warnings.append(
            f"The graph is so large that the PNG shows it at {scale:.0%} of its size. The SVG can be enlarged, and first_layer and "
            "last_layer give a part of the graph."
        )
    shared = [node.path for node in graph.nodes if node.calls > 1]
    if shared:
        names = ", ".join(shared[:5]) + (", …" if len(shared) > 5 else "")
        warnings.append(f"These layers are called more than once; only their first call is in the graph: {names}.")
    return warnings
