"""Describe a loaded model for the service: what a worker publishes."""

from __future__ import annotations

from typing import Any

import keras

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed
from schemas.models import HeadKind, InputSpec, Layer, ModelDescription, PublishedModel
from schemas.nearest_names import nearest_hint, nearest_names
from workers.engine.graph import Graph
from workers.engine.output_values import head_kinds
from workers.models.custom_objects import import_custom_objects
from workers.models.description.default_layer import default_layer
from workers.models.description.describe_layers import describe_layers
from workers.models.description.describe_outputs import output_head
from workers.models.description.fingerprint import fingerprint
from workers.models.description.weight_warnings import weight_warnings
from workers.models.labels import load_labels

_IMAGE_INPUT_RANK = 4  # (N, H, W, C)


def describe(model: keras.Model, entry: CatalogEntry, custom_objects: tuple[str, ...] = ()) -> PublishedModel:
    """Return the description and the labels of `model`, which was loaded for `entry` with these objects of the operator's own.

    Raises:
        ModelLoadFailed: the model takes no image, its labels do not match its classes, or the entry names a layer, an input or a
            head that the model does not have.
    """
    graph = Graph(model)
    image_input = _image_input(graph, entry)
    graph = graph.with_head_kinds(_head_kinds(graph, image_input, entry))
    head = graph.head
    layers = describe_layers(graph)
    chosen = _layer_of_settings(entry, layers)
    custom = import_custom_objects(custom_objects).used_in(layer.layer for layer in graph.layers)
    heads = tuple(output_head(graph, name, layers) for name in graph.output_names)
    description = ModelDescription(
        name=entry.name,
        source=entry.source,
        title=entry.title,
        input=image_input,
        preprocessing=entry.preprocessing,
        classes=head.classes,
        head=head.kind,
        outputs=graph.output_names,
        heads=heads if chosen is None else (heads[0].model_copy(update={"default_layer": chosen}), *heads[1:]),
        other_inputs=tuple(name for name in graph.input_names if name != image_input.name),
        fingerprint=fingerprint(model, custom),
        parameters=model.count_params(),
        default_layer=chosen or default_layer(layers, classes=head.classes is not None),
        layers=layers,
        custom_objects=tuple(each.name for each in custom),
        warnings=weight_warnings(graph),
    )
    return PublishedModel(
        description=description, labels=load_labels(entry.labels, head.classes or head.dense_classes, head.kind), digest=entry.digest
    )


def _head_kinds(graph: Graph, image_input: InputSpec, entry: CatalogEntry) -> dict[str, HeadKind]:
    """Return the kind of each output's head; the settings decide about the first output, if they say what it is."""
    kinds = head_kinds(graph, image_input, entry.preprocessing)
    if entry.head is None:
        return kinds
    classes = graph.head.classes or graph.head.dense_classes
    if classes is None:
        raise ModelLoadFailed(f"The settings of model '{entry.name}' give the head '{entry.head}', but the model has no class output.")
    given: HeadKind = "binary" if entry.head == "probabilities" and classes == 1 else entry.head
    return {**kinds, graph.output_names[0]: given}


def _image_input(graph: Graph, entry: CatalogEntry) -> InputSpec:
    """Describe the input that takes the image: the one that the settings name, or the first that can take an image."""
    shapes: dict[str, tuple[Any, ...]] = {
        name: tuple(tensor.shape) for name, tensor in zip(graph.input_names, graph.topology.inputs, strict=True)
    }
    if entry.input is not None and entry.input not in shapes:
        raise ModelLoadFailed(
            f"The settings of model '{entry.name}' name the input '{entry.input}', but its inputs are: {', '.join(shapes)}."
        )
    name = entry.input or next((name for name, shape in shapes.items() if _takes_images(shape)), graph.input_names[0])
    if not _takes_images(shapes[name]):
        raise ModelLoadFailed(
            f"Model '{entry.name}' takes an input of shape {shapes[name]}, but an image gives (N, height, width, 1 or 3)."
        )
    _, height, width, channels = shapes[name]
    wanted = entry.input_size or (height, width)
    for own, given in zip((height, width), wanted, strict=True):
        if own is not None and given != own:
            raise ModelLoadFailed(
                f"Model '{entry.name}' takes {height} × {width} pixels, but its settings say {wanted[0]} × {wanted[1]} (height × width)."
            )
    return InputSpec(name=name, height=wanted[0], width=wanted[1], channels=channels)


def _takes_images(shape: tuple[Any, ...]) -> bool:
    return len(shape) == _IMAGE_INPUT_RANK and shape[-1] in (1, 3)


def _layer_of_settings(entry: CatalogEntry, layers: tuple[Layer, ...]) -> str | None:
    """Return the default layer that the settings name, or None if they name none."""
    paths = [layer.path for layer in layers]
    if entry.default_layer is not None and entry.default_layer not in paths:
        nearest = nearest_names(entry.default_layer, paths)
        raise ModelLoadFailed(
            f"The settings of model '{entry.name}' name the layer '{entry.default_layer}', which the model does not have."
            f"{nearest_hint(nearest)}"
        )
    return entry.default_layer
