"""Turn a model's description into a graph of nodes, edges and clusters."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.methods.inspection.architecture import Architecture, ArchitectureGraph, GraphCluster, GraphEdge, GraphNode
from schemas.models import Layer, LayerKind, ModelDescription


def graph_of(description: ModelDescription, params: Architecture) -> ArchitectureGraph:
    """Return the layers from `first_layer` to `last_layer` and the edges between them.

    A nested model is a cluster of its layers, or one node if `unfold` is false.
    """
    nesting = ModelNesting(description)
    node_of = nesting.itself if params.unfold else nesting.outermost
    layers = _between(description.layers, params)
    drawn_paths = dict.fromkeys(node_of(layer.path) for layer in layers if layer.path not in nesting.models)
    connections = dict.fromkeys(
        (node_of(source), node_of(layer.path))
        for layer in description.layers
        if layer.path not in nesting.models
        for source in nesting.sources(layer.inbound)
    )
    edges = [(source, target) for source, target in connections if source != target and {source, target} <= drawn_paths.keys()]
    cut = [(source, target) for source, target in connections if (source in drawn_paths) != (target in drawn_paths)]
    nodes = tuple(_node(nesting, path, [source for source, target in edges if target == path]) for path in drawn_paths)
    frames = dict.fromkeys(frame for path in drawn_paths for frame in nesting.around(path))
    clusters = tuple(_cluster(nesting, path) for path in frames)
    return ArchitectureGraph(
        model=description.name,
        direction=params.direction,
        nodes=nodes,
        edges=tuple(GraphEdge(source=source, target=target) for source, target in edges),
        clusters=clusters,
        cut=tuple(GraphEdge(source=source, target=target) for source, target in cut),
    )


class ModelNesting:
    """Know which layers are in which nested model. A model whose layers are not described is a layer like any other."""

    def __init__(self, description: ModelDescription) -> None:
        self.layers = {layer.path: layer for layer in description.layers}
        inside = {path[:end] for path in self.layers for end, letter in enumerate(path) if letter == "/"}
        self.models = {path for path in inside if path in self.layers and self.layers[path].kind is LayerKind.MODEL}

    def around(self, path: str) -> list[str]:
        """Return the paths of the models around a layer, the outermost first."""
        return [path[:end] for end, letter in enumerate(path) if letter == "/" and path[:end] in self.models]

    def itself(self, path: str) -> str:
        """Return the path of the node that stands for a layer if nested models are unfolded."""
        return path

    def outermost(self, path: str) -> str:
        """Return the path of the node that stands for a layer if nested models are not unfolded."""
        return next(iter(self.around(path)), path)

    def sources(self, inbound: tuple[str, ...]) -> Iterator[str]:
        """Yield the layers from which edges come. For a nested model, these are the layers that compute its outputs."""
        for path in inbound:
            if path in self.models:
                yield from self.sources(self.layers[path].inbound)
            else:
                yield path


def _between(layers: tuple[Layer, ...], params: Architecture) -> tuple[Layer, ...]:
    paths = [layer.path for layer in layers]
    first = 0 if params.first_layer is None else paths.index(params.first_layer)
    last = len(paths) if params.last_layer is None else paths.index(params.last_layer) + 1
    return layers[first:last]


def _node(nesting: ModelNesting, path: str, sources: list[str]) -> GraphNode:
    layer = nesting.layers[path]
    read = sources if path in nesting.models else layer.inbound
    return GraphNode(
        path=path,
        name=_name(nesting, path),
        type=layer.type,
        kind=layer.kind,
        input_shapes=tuple(nesting.layers[source].output_shape for source in read if source in nesting.layers),
        output_shape=layer.output_shape,
        dtype=layer.dtype,
        activation=layer.activation,
        parameters=layer.parameters,
        calls=layer.calls,
        inside=next(reversed(nesting.around(path)), None),
    )


def _cluster(nesting: ModelNesting, path: str) -> GraphCluster:
    layer = nesting.layers[path]
    inside = next(reversed(nesting.around(path)), None)
    return GraphCluster(path=path, name=_name(nesting, path), type=layer.type, parameters=layer.parameters, inside=inside)


def _name(nesting: ModelNesting, path: str) -> str:
    around = nesting.around(path)
    return path[len(around[-1]) + 1 :] if around else path
