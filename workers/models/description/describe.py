"""What is published of a loaded model."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import keras

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed, nearest_names
from schemas.models import InputSpec, Layer, LayerKind, ModelDescription, OutputHead, PublishedModel
from workers.engine.graph import Graph
from workers.models.description.fingerprint import fingerprint
from workers.models.description.layer_kinds import kind_of
from workers.models.description.receptive_field import receptive_fields
from workers.models.description.token_grids import token_grids
from workers.models.labels import load_labels

_MAP_RANK = 4  # (N, h, w, K)
# The default layer is none of these: their map is another layer's map, smaller or with holes.
_NOT_DEFAULT = frozenset(
    {LayerKind.INPUT, LayerKind.POOLING, LayerKind.RESHAPE, LayerKind.REGULARIZATION, LayerKind.PREPROCESSING, LayerKind.MODEL}
)


def describe(model: keras.Model, entry: CatalogEntry) -> PublishedModel:
    """The description and labels of `model`, which `entry` named.

    Raises:
        ModelLoadFailed: it takes no photo, its labels do not match its classes, or the entry names a layer it does not have.
    """
    graph = Graph(model)
    head = graph.head
    layers = describe_layers(graph)
    image = _input(graph, entry)
    description = ModelDescription(
        name=entry.name,
        source=entry.source,
        title=entry.title,
        input=image,
        preprocessing=entry.preprocessing,
        classes=head.classes,
        head=head.kind,
        outputs=graph.output_names,
        heads=tuple(_head(graph, name, layers) for name in graph.output_names),
        other_inputs=tuple(name for name in graph.input_names if name != image.name),
        fingerprint=fingerprint(model),
        parameters=model.count_params(),
        default_layer=_given_layer(entry, layers) or default_layer(layers, classes=head.classes is not None),
        layers=layers,
    )
    return PublishedModel(description=description, labels=load_labels(entry.labels, head.classes), digest=entry.digest)


def _head(graph: Graph, name: str, layers: tuple[Layer, ...]) -> OutputHead:
    """What an output ends in; its default layer is found as the first's is, among those that it is computed from."""
    head = graph.head_of(name)
    own = tuple(layer.model_copy(update={"cam_able": _cam_able(layer, graph, name)}) for layer in layers)
    return OutputHead(name=name, classes=head.classes, head=head.kind, default_layer=default_layer(own))


def describe_layers(graph: Graph) -> tuple[Layer, ...]:
    """Every layer of a model, in topological order."""
    fields, grids = receptive_fields(graph.layers), token_grids(graph.layers)
    calls = Counter(graph.unfolded.owners[ref] for ref in graph.unfolded.taps.values())
    described = (
        Layer(
            path=layer.path,
            type=type(layer.layer).__name__,
            kind=kind_of(layer.layer),
            output_shape=layer.output_shape[1:],
            parameters=sum(math.prod(weight.shape) for weight in getattr(layer.layer, "weights", ())),
            channels=layer.output_shape[-1] if len(layer.output_shape) > 1 else None,
            receptive_field=fields[layer.path],
            inbound=layer.inbound,
            token_grid=grids[layer.path],
            cam_able=False,
            activation=_activation(layer.layer),
            dtype=_dtype(layer.layer),
            calls=calls[layer.path],
        )
        for layer in graph.layers
    )
    return tuple(layer.model_copy(update={"cam_able": _cam_able(layer, graph)}) for layer in described)


def _activation(layer: Any) -> str | None:
    """The name of the function in the layer's argument, or of the layer that stands there."""
    activation = getattr(layer, "activation", None)
    if activation is None:
        return None
    return getattr(activation, "__name__", None) or getattr(activation, "name", None) or type(activation).__name__


def _dtype(operation: Any) -> str | None:
    """Of its first output, as it was first called."""
    try:
        return str(keras.tree.flatten(operation.output)[0].dtype)
    except (AttributeError, ValueError):  # never called by itself: inside a layer that hides it
        return None


def default_layer(layers: tuple[Layer, ...], *, classes: bool = True) -> str | None:
    """The last layer with a map of more than one position, after its activation and before pooling; failing that, with one.

    The class score is computed from it; of a model without `classes` any will do, for what only looks at activations.

    Where there is a class token, a layer that attention still follows: after the last the score may come from that token alone,
    and no gradient reaches the others.
    """
    attended = _attended(layers)
    candidates = [
        layer
        for layer in layers
        if (layer.cam_able if classes else _has_map(layer))
        and layer.kind not in _NOT_DEFAULT
        and (layer.token_grid is None or not layer.token_grid.before or layer.path in attended)
    ]
    wide = [layer for layer in candidates if any(size != 1 for size in layer.output_shape[:-1])]
    return (wide or candidates)[-1].path if candidates else None


def _attended(layers: tuple[Layer, ...]) -> set[str]:
    """Layers that an attention layer is computed from."""
    found: set[str] = set()
    for layer in reversed(layers):
        if layer.kind is LayerKind.ATTENTION or layer.path in found:
            found.update(layer.inbound)
    return found


def _cam_able(layer: Layer, graph: Graph, output: str | None = None) -> bool:
    return _has_map(layer) and graph.head_of(output).classes is not None and graph.reaches(layer.path, output=output)


def _has_map(layer: Layer) -> bool:
    return layer.kind is not LayerKind.INPUT and (len(layer.output_shape) == _MAP_RANK - 1 or layer.token_grid is not None)


def _input(graph: Graph, entry: CatalogEntry) -> InputSpec:
    """The input that the settings name, or the first that a photo can be brought to."""
    shapes: dict[str, tuple[Any, ...]] = {
        name: tuple(tensor.shape) for name, tensor in zip(graph.input_names, graph.unfolded.inputs, strict=True)
    }
    if entry.input is not None and entry.input not in shapes:
        raise ModelLoadFailed(f"Model '{entry.name}' has no input '{entry.input}', which its settings name, only {', '.join(shapes)}.")
    name = entry.input or next((name for name, shape in shapes.items() if _takes_photos(shape)), graph.input_names[0])
    if not _takes_photos(shapes[name]):
        raise ModelLoadFailed(f"Model '{entry.name}' takes an input of shape {shapes[name]}; a photo gives (N, height, width, 1 or 3).")
    _, height, width, channels = shapes[name]
    wanted = entry.input_size or (height, width)
    for own, given in zip((height, width), wanted, strict=True):
        if own is not None and given != own:
            raise ModelLoadFailed(f"Model '{entry.name}' takes {height} × {width} pixels, but its settings say {wanted[0]} × {wanted[1]}.")
    return InputSpec(name=name, height=wanted[0], width=wanted[1], channels=channels)


def _takes_photos(shape: tuple[Any, ...]) -> bool:
    return len(shape) == _MAP_RANK and shape[-1] in (1, 3)


def _given_layer(entry: CatalogEntry, layers: tuple[Layer, ...]) -> str | None:
    paths = [layer.path for layer in layers]
    if entry.default_layer is not None and entry.default_layer not in paths:
        nearest = nearest_names(entry.default_layer, paths)
        hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
        raise ModelLoadFailed(f"Model '{entry.name}' has no layer '{entry.default_layer}', which its settings name.{hint}")
    return entry.default_layer
