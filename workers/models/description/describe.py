"""Describe a loaded model for the service: what a worker publishes."""

from __future__ import annotations

import keras

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed
from schemas.models import HeadKind, InputSpec, Layer, ModelDescription, PublishedModel
from schemas.nearest_names import nearest_hint, nearest_names
from workers.engine.activation_guard import ActivationGuard
from workers.engine.activation_limits import ActivationLimits
from workers.engine.graph import Graph
from workers.engine.output_values import head_kinds
from workers.models.custom_objects import import_custom_objects
from workers.models.description.default_layer import default_layer
from workers.models.description.describe_inputs import describe_inputs, image_input, layers_seen_from
from workers.models.description.describe_layers import describe_layers
from workers.models.description.describe_outputs import output_head
from workers.models.description.fingerprint import fingerprint
from workers.models.description.weight_warnings import weight_warnings
from workers.models.labels import load_labels


def describe(
    model: keras.Model, entry: CatalogEntry, custom_objects: tuple[str, ...] = (), limits: ActivationLimits | None = None
) -> PublishedModel:
    """Return the description and the labels of `model`, which was loaded for `entry` with these objects of the operator's own.

    Raises:
        ModelLoadFailed: the model takes no image, its labels do not match its classes, or the entry names a layer, an input or a
            head that the model does not have.
        ModelTooLarge: the model takes inputs of one size, and its activations are beyond `limits` (None means the defaults).
    """
    graph = Graph(model)
    photo = image_input(graph, entry)
    guard = ActivationGuard(graph, photo.name, limits or ActivationLimits())
    if photo.height is not None and photo.width is not None:
        guard.check((1, photo.height, photo.width))
    graph = graph.with_head_kinds(_head_kinds(graph, photo, entry, guard)).seen_from(photo.name)
    head = graph.head
    layers = describe_layers(graph)
    chosen = _layer_of_settings(entry, layers)
    custom = import_custom_objects(custom_objects).used_in([model, *(layer.layer for layer in graph.layers)])
    seen, inputs = layers_seen_from(photo.name, layers), describe_inputs(graph, entry, photo, layers)
    heads = tuple(output_head(graph, name, seen) for name in graph.output_names)
    preprocessing = next(each.preprocessing for each in inputs if each.name == photo.name)
    description = ModelDescription(
        name=entry.name,
        source=entry.source,
        title=entry.title,
        input=photo,
        preprocessing=preprocessing or entry.preprocessing,
        classes=head.classes,
        head=head.kind,
        outputs=graph.output_names,
        heads=heads if chosen is None else (heads[0].model_copy(update={"default_layer": chosen}), *heads[1:]),
        inputs=inputs,
        other_inputs=tuple(name for name in graph.input_names if name != photo.name),
        fingerprint=fingerprint(model, custom),
        parameters=model.count_params(),
        default_layer=chosen or default_layer(seen, classes=head.classes is not None),
        layers=layers,
        custom_objects=tuple(each.name for each in custom),
        warnings=weight_warnings(graph),
    )
    return PublishedModel(
        description=description, labels=load_labels(entry.labels, head.classes or head.dense_classes, head.kind), digest=entry.digest
    )


def _head_kinds(graph: Graph, photo: InputSpec, entry: CatalogEntry, guard: ActivationGuard) -> dict[str, HeadKind]:
    """Return the kind of each output's head; the settings decide about the first output, if they say what it is."""
    kinds = head_kinds(graph, photo, entry.preprocessing, guard)
    if entry.head is None:
        return kinds
    classes = graph.head.classes or graph.head.dense_classes
    if classes is None:
        raise ModelLoadFailed(f"The settings of model '{entry.name}' give the head '{entry.head}', but the model has no class output.")
    given: HeadKind = "binary" if entry.head == "probabilities" and classes == 1 else entry.head
    return {**kinds, graph.output_names[0]: given}


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
