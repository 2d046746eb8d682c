"""Check a target against a model's description, and complete it: class indices in place of labels, full paths of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel

from schemas.errors import InvalidParameters, VisualizationError
from schemas.methods.channels import check_channels, layer_with_channels
from schemas.methods.targets import (
    ActivationTarget,
    DifferenceTarget,
    ElementTarget,
    OtherTarget,
    RegionTarget,
    SimilarityTarget,
    target_name,
)
from schemas.models import OutputHead, OutputKind, PublishedModel

POINTER = "/params/target"
_ALWAYS = ("element", "similarity", "activation")
_POSSIBLE: Mapping[OutputKind, tuple[str, ...]] = {
    "classes": ("class", "difference", *_ALWAYS),
    "dense_classes": ("region", *_ALWAYS),
    "regression": _ALWAYS,
    "embedding": ("similarity", "element", "activation"),
    "unknown": _ALWAYS,
}

_Part = TypeVar("_Part", bound=BaseModel)


def possible_targets(head: OutputHead) -> tuple[str, ...]:
    """Return the kinds of targets that an output has, by their keys in a request."""
    return _POSSIBLE[head.kind]


def resolve_target(target: OtherTarget, model: PublishedModel, output: str | None) -> OtherTarget:
    """Return the target completed for an output of the model (None means the first). A completed target is returned as it is.

    Raises:
        InvalidParameters: the model has no such output, or the output has no such target.
        UnknownClass: the output has no such class.
        UnknownLayer, UnknownChannel, UnsuitableLayer: the model has no such layer or channel.
    """
    head = model.description.head_at(output)
    name, possible = target_name(target), possible_targets(head)
    if model.description.forward_only:
        possible = tuple(each for each in possible if each != "activation")  # there are no layers to look at
    if name not in possible:
        raise InvalidParameters(
            f"Output '{head.name}' of model '{model.description.name}' (kind {head.kind}, shape {_shape_text(head.shape)}) has no target "
            f"'{name}'. It has: {', '.join(possible)}.",
            pointer=POINTER,
            allowed=", ".join(possible),
            got=name,
        )
    if isinstance(target, DifferenceTarget):
        return _with(target, difference=_difference(target, model, output, head))
    if isinstance(target, RegionTarget):
        index = model.class_index_of(target.region.class_, f"{POINTER}/region/class", output, dense=True)
        return _with(target, region=_with(target.region, class_=index))
    if isinstance(target, ElementTarget):
        _check_place(target.element, head.shape, f"{POINTER}/element", f"Output '{head.name}'")
        return target
    if isinstance(target, SimilarityTarget):
        if target.similarity.layer is None:
            return target
        path = model.description.layer_at(target.similarity.layer, f"{POINTER}/similarity/layer").path
        return _with(target, similarity=_with(target.similarity, layer=path))
    return _activation(target, model)


def source_layer(target: OtherTarget, head: OutputHead) -> str | None:
    """Return the path of the layer whose values a resolved target is read from, or None if the description does not say."""
    if isinstance(target, ActivationTarget):
        return target.activation.layer
    if isinstance(target, SimilarityTarget) and target.similarity.layer is not None:
        return target.similarity.layer
    return head.layer


def no_class_output(model: PublishedModel, output: str | None) -> str:
    """Return a sentence that says that an output has no classes, and which targets it has."""
    head = model.description.head_at(output)
    of_output = "" if output is None else f" named '{output}'"
    return f"Model '{model.description.name}' has no class output{of_output}. Give `target`, one of: {', '.join(possible_targets(head))}."


def _difference(target: DifferenceTarget, model: PublishedModel, output: str | None, head: OutputHead) -> BaseModel:
    given = target.difference
    if (head.classes or 0) < 2:
        raise InvalidParameters(
            f"A difference needs two classes, but output '{head.name}' has {head.classes}.",
            pointer=f"{POINTER}/difference",
            allowed="an output with 2 or more classes",
            got=str(head.classes),
        )
    of = None if given.of is None else model.class_index_of(given.of, f"{POINTER}/difference/of", output)
    if given.from_ == "nearest":
        return _with(given, of=of)
    others = tuple(model.class_index_of(each, f"{POINTER}/difference/from/{number}", output) for number, each in enumerate(given.from_))
    if of in others or len(set(others)) < len(others):
        raise InvalidParameters(
            "Each class of a difference may stand there once.", pointer=f"{POINTER}/difference/from", got=", ".join(map(str, others))
        )
    return _with(given, of=of, from_=others)


def _activation(target: ActivationTarget, model: PublishedModel) -> ActivationTarget:
    given = target.activation
    layer = layer_with_channels(model, given.layer, f"{POINTER}/activation/layer")
    check_channels(layer, (given.channel,), f"{POINTER}/activation/channel", name="channels")
    if given.position is not None:
        _check_place(given.position, layer.output_shape[:-1], f"{POINTER}/activation/position", f"A channel of layer '{layer.path}'")
    return _with(target, activation=_with(given, layer=layer.path))


def _check_place(place: tuple[int, ...], shape: tuple[int | None, ...], pointer: str, owner: str) -> None:
    """Raise `InvalidParameters` if there is no such place in an array of this shape, whose unknown sizes are None."""
    fits = len(place) == len(shape) and all(size is None or index < size for index, size in zip(place, shape, strict=True))
    if not fits:
        raise InvalidParameters(
            f"{owner} has the shape {_shape_text(shape)}, so it has no value at {list(place)}. Give one index for each axis, from 0.",
            pointer=pointer,
            allowed=f"a place in {_shape_text(shape)}",
            got=str(list(place)),
        )


def _shape_text(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join('any' if size is None else str(size) for size in shape)})"


def _with(part: _Part, **changes: object) -> _Part:
    return part.model_copy(update=changes)


def repointed(error: VisualizationError) -> VisualizationError:
    """Return an error about `class_index` as one about `target`, whose long form the caller gave."""
    if error.pointer is not None and error.pointer.startswith("/params/class_index"):
        error.pointer = error.pointer.replace("/params/class_index", f"{POINTER}/class")
    return error
