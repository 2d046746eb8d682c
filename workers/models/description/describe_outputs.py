"""Describe the outputs of a loaded model: what their values are, and which targets they have."""

from __future__ import annotations

from schemas.models import Layer, OutputHead, OutputKind
from workers.engine.graph import Graph
from workers.engine.heads import Head
from workers.models.description.default_layer import default_layer, has_map


def output_head(graph: Graph, name: str, layers: tuple[Layer, ...]) -> OutputHead:
    """Describe one output. Its default layer is chosen among the layers from which this output is computed."""
    head, topology = graph.head_of(name), graph.topology
    index = topology.output_index(name)
    path = topology.owners[topology.output_tensor(index)]
    before = tuple(
        layer.model_copy(update={"cam_able": _has_map_before(layer, graph, name) and (head.classes is not None or layer.path != path)})
        for layer in layers
    )
    return OutputHead(
        name=name,
        classes=head.classes,
        head=head.kind,
        default_layer=default_layer(before, coarsest=head.dense_classes is not None),
        dense_classes=head.dense_classes,
        kind=output_kind(head),
        shape=tuple(topology.outputs[index].shape)[1:],
        layer=path,
    )


def _has_map_before(layer: Layer, graph: Graph, output: str) -> bool:
    """Return whether the layer has a map from which the values of an output are computed, before its softmax or sigmoid."""
    return has_map(layer) and graph.reaches_scores(layer.path, output)


def output_kind(head: Head) -> OutputKind:
    """Return the kind of an output, which says which targets it has."""
    if head.kind in ("regression", "embedding"):
        return head.kind
    if head.classes is not None:
        return "classes"
    return "dense_classes" if head.dense_classes is not None else "unknown"
