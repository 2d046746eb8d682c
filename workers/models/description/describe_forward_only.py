"""Describe a network that can only be run, for the service: what a worker publishes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from catalog.entry import CatalogEntry
from schemas.models import InputSpec, ModelDescription, ModelInput, OutputHead, Preprocessing, PublishedModel
from workers.engine.forward_only.heads import examine
from workers.engine.forward_only.image_input import other_image_input
from workers.engine.forward_only.network import ForwardNetwork, ImageInput, NetworkInput
from workers.engine.forward_only.tried_sides import tried_side_rule
from workers.engine.heads import Head
from workers.models.description.describe_inputs import sixteen_bits
from workers.models.description.describe_outputs import output_kind
from workers.models.labels import load_labels


def describe_forward_only(network: ForwardNetwork, entry: CatalogEntry) -> tuple[PublishedModel, Mapping[str, Head]]:
    """Return the description and the labels of `network`, which was loaded for `entry`, and the head of each output by name.

    Raises:
        ModelLoadFailed: the network cannot be run, its labels do not match its classes, or the settings do not suit it.
    """
    rule = tried_side_rule(network, entry.longest_side)
    image = InputSpec(
        name=network.image.name,
        height=network.image.height,
        width=network.image.width,
        channels=network.image.channels,
        layout=network.image.layout,
        longest=entry.longest_side,
        **rule._asdict(),
    )
    preprocessing = _preprocessing(network, entry)
    heads = examine(network, image, preprocessing, entry.head)
    outputs = tuple(_output_head(output.name, output.shape, heads[output.name]) for output in network.outputs)
    first = outputs[0]
    description = ModelDescription(
        name=entry.name,
        source=entry.source,
        title=entry.title,
        input=image,
        preprocessing=preprocessing,
        classes=first.classes,
        head=first.head,
        outputs=tuple(output.name for output in outputs),
        heads=outputs,
        inputs=tuple(_input(network, each, image, entry, preprocessing) for each in network.inputs),
        other_inputs=network.other_inputs,
        fingerprint=hashlib.sha256(f"{network.digest}:{image.name}:{image.layout}".encode()).hexdigest(),
        parameters=network.parameters,
        default_layer=None,
        layers=(),
        forward_only=True,
    )
    labels = load_labels(entry.labels, first.class_count, first.head)
    return PublishedModel(description=description, labels=labels, digest=entry.digest), heads


def _input(network: ForwardNetwork, spec: NetworkInput, image: InputSpec, entry: CatalogEntry, preprocessing: Preprocessing) -> ModelInput:
    """Describe one input. Images have the order (height, width, channels), whatever that of the file is."""
    settings = entry.inputs.get(spec.name)
    own = preprocessing if settings is None or settings.preprocessing is None else settings.preprocessing_or("none")
    given = {"name": spec.name, "arrays": settings.arrays if settings else "as_given", "bands": settings.bands if settings else None}
    if spec.name == image.name:
        sides: dict[str, object] = {name: getattr(image, name) for name in ("multiple", "remainder", "smallest", "longest")}
        found: ImageInput | InputSpec | None = image
    else:
        sides, found = {"longest": entry.longest_side}, other_image_input(spec, network.image.layout)
    if found is None:
        shape = spec.shape[1:] if network.has_batch_axis(spec) else spec.shape
        return ModelInput.model_validate({**given, "shape": shape, "dtype": "float32" if network.is_quantised(spec) else spec.dtype.name})
    bits = sixteen_bits(entry, spec.name, own) if found.channels == 1 else None
    shape = (found.height, found.width, found.channels)
    return ModelInput.model_validate({**given, **sides, "shape": shape, "dtype": "float32", "preprocessing": own, "sixteen_bits": bits})


def _preprocessing(network: ForwardNetwork, entry: CatalogEntry) -> Preprocessing:
    """Return the preprocessing of the settings. With `none`, the pixels are the integers of a quantised input, as they are."""
    given = entry.preprocessing
    if given.mode != "none" or network.pixel_scale is None:
        return given
    mean, std = network.pixel_scale
    return given.model_copy(update={"mode": "custom", "mean": (mean,), "std": (std,)})


def _output_head(name: str, shape: tuple[int | None, ...], head: Head) -> OutputHead:
    return OutputHead(
        name=name,
        classes=head.classes,
        head=head.kind,
        default_layer=None,
        dense_classes=head.dense_classes,
        kind=output_kind(head),
        shape=shape,
    )
