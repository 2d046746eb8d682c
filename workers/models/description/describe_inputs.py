"""Describe the inputs of a loaded model: the one that takes the photo, and all of them with what they take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed
from schemas.models import InputSpec, Layer, ModelInput, Preprocessing, SixteenBits
from schemas.nearest_names import nearest_hint, nearest_names
from workers.engine.free_sides import SideRule, free_side_rule
from workers.engine.graph import Graph
from workers.models.description.default_layer import default_layer
from workers.models.description.image_recipe import image_recipe

_PHOTO_CHANNELS = (1, 3)


def image_input(graph: Graph, entry: CatalogEntry) -> InputSpec:
    """Describe the input that takes the image: the one that the settings name, or the first that can take a photo, or else an array.

    Raises:
        ModelLoadFailed: the model takes no image, or the settings name an input or a size that it does not have.
    """
    shapes = input_shapes(graph)
    for name in (*([] if entry.input is None else [entry.input]), *entry.inputs):
        if name not in shapes:
            hint = nearest_hint(nearest_names(name, shapes))
            raise ModelLoadFailed(
                f"The settings of model '{entry.name}' name the input '{name}', but its inputs are: {', '.join(shapes)}.{hint}"
            )
    name = entry.input or next(iter((*_taking(shapes, _PHOTO_CHANNELS), *_taking(shapes, None), *shapes)))
    if not _takes_images(shapes[name]):
        raise ModelLoadFailed(
            f"Model '{entry.name}' takes an input of shape {(None, *shapes[name])}, but an image gives (N, height, width, channels)."
            f"{image_recipe(shapes[name])}"
        )
    height, width, channels = shapes[name]
    wanted = entry.input_size or (height, width)
    for own, given in zip((height, width), wanted, strict=True):
        if own is not None and given != own:
            raise ModelLoadFailed(
                f"Model '{entry.name}' takes {height} × {width} pixels, but its settings say {wanted[0]} × {wanted[1]} (height × width)."
            )
    rule = _free_sides(graph, name, wanted, entry)
    return InputSpec(name=name, height=wanted[0], width=wanted[1], channels=channels, longest=entry.longest_side, **rule._asdict())


def describe_inputs(graph: Graph, entry: CatalogEntry, photo: InputSpec, layers: tuple[Layer, ...]) -> tuple[ModelInput, ...]:
    """Describe every input of a model. `photo` is the one that takes the photo, at the size that the settings give it."""
    classes = graph.head.classes is not None
    described: list[ModelInput] = []
    for (name, shape), tensor in zip(input_shapes(graph).items(), graph.topology.inputs, strict=True):
        settings, images = entry.inputs.get(name), _takes_images(shape)
        is_photo = name == photo.name
        rule = _free_sides(graph, name, shape[:2] if images else (), entry)
        if is_photo:
            rule = SideRule(photo.multiple, photo.remainder, photo.smallest)
        described.append(
            ModelInput(
                name=name,
                shape=(photo.height, photo.width, photo.channels) if is_photo else shape,
                dtype=str(tensor.dtype),
                longest=entry.longest_side,
                **rule._asdict(),
                preprocessing=_preprocessing(entry, name) if images else None,
                arrays=settings.arrays if settings else "as_given",
                sixteen_bits=sixteen_bits(entry, name, _preprocessing(entry, name)) if images and shape[-1] == 1 else None,
                bands=settings.bands if settings else None,
                default_layer=default_layer(layers_seen_from(name, layers), classes=classes) if images else None,
            )
        )
    return tuple(described)


def layers_seen_from(name: str, layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Return the layers that are computed from an input."""
    return tuple(layer for layer in layers if not layer.inputs or name in layer.inputs)


def input_shapes(graph: Graph) -> dict[str, tuple[Any, ...]]:
    """Return the shape of each input without the batch axis, by the input's name."""
    return {name: tuple(tensor.shape)[1:] for name, tensor in zip(graph.input_names, graph.topology.inputs, strict=True)}


def _free_sides(graph: Graph, name: str, sides: Collection[int | None], entry: CatalogEntry) -> SideRule:
    """Return the rule for the free sides of an image input, which is the empty rule if no side is free."""
    return free_side_rule(graph.layers, name, entry.longest_side) if None in sides else SideRule()


def _preprocessing(entry: CatalogEntry, name: str) -> Preprocessing:
    settings = entry.inputs.get(name)
    return entry.preprocessing if settings is None or settings.preprocessing is None else settings.preprocessing_or("none")


def sixteen_bits(entry: CatalogEntry, name: str, preprocessing: Preprocessing) -> SixteenBits:
    """Return what becomes of photos of 16-bit grey at an input of one channel with this preprocessing."""
    settings = entry.inputs.get(name)
    if settings is not None and settings.sixteen_bits is not None:
        return settings.sixteen_bits
    values_count = settings is not None and settings.arrays == "preprocessed"
    return "kept" if values_count or preprocessing.mode == "none" else "scaled"


def _taking(shapes: Mapping[str, tuple[Any, ...]], channels: tuple[int, ...] | None) -> list[str]:
    """Return the names of the inputs that take images with one of these numbers of channels; None stands for any number."""
    return [name for name, shape in shapes.items() if _takes_images(shape) and (channels is None or shape[-1] in channels)]


def _takes_images(shape: tuple[Any, ...]) -> bool:
    return len(shape) == 3 and shape[-1] is not None
