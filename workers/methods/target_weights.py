"""The weights with which targets are read from a model's values, and the targets' names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from rendering.photo import Photo
from schemas.errors import InvalidParameters
from schemas.methods.targets import (
    NEAREST,
    BoxRegion,
    ClassDifference,
    ClassRegion,
    ElementTarget,
    LayerActivation,
    MaskRegion,
    PointRegion,
    SimilarImage,
)
from schemas.models import PublishedModel
from workers.contract.inputs import Prepared
from workers.methods.regions import box_region, mask_region, point_region, predicted_region

# A vector that is shorter than this has no direction.
_LEAST_LENGTH = 1e-12


@dataclass(frozen=True)
class WeightedTarget:
    """One job's target.

    Attributes:
        weights: one weight for each of the model's values that the target is read from, without the batch axis.
        name: the target in words.
    """

    weights: Float32[np.ndarray, "*values"]
    name: str


def difference_weights(
    asked: ClassDifference, logits: Float32[np.ndarray, " classes"], model: PublishedModel, output: str | None
) -> WeightedTarget:
    """Return 1 for the class and -weight / n for each of the n others: y_of − weight · mean y_from."""
    of = int(logits.argmax()) if asked.of is None else class_number(asked.of)
    if asked.from_ == "nearest":
        by_distance = np.argsort(np.abs(logits - logits[of]), kind="stable")
        others = [int(each) for each in by_distance if each != of][:NEAREST]
    else:
        others = [class_number(each) for each in asked.from_]
    weights = np.zeros_like(logits)
    weights[others] = -asked.weight / len(others)
    weights[of] += 1
    names = [model.label_of(each, output) or f"class {each}" for each in (of, *others)]
    times = "" if asked.weight == 1 else f"{asked.weight:g} · "
    return WeightedTarget(weights, f"{names[0]} − {times}{'mean of ' if len(others) > 1 else ''}{', '.join(names[1:])}")


def region_weights(
    asked: ClassRegion, logits: Float32[np.ndarray, "h w classes"], photo: Photo, mask: Prepared | None, *, mean: bool, label: str | None
) -> WeightedTarget:
    """Return 1 for the class at each position of the region, or 1 / positions with `mean`.

    Args:
        asked: the resolved region.
        logits: the logits of the photo, which decide where the class is predicted.
        photo: the photo, in whose pixels a box or a point is given.
        mask: the mask image, if the region names one.
        mean: whether the target is the mean over the region, and not the sum.
        label: the label of the class.

    Raises:
        InvalidParameters: the region covers no position of the output.
    """
    index = class_number(asked.class_)
    region = _region(asked, logits, photo, mask)
    count = int(region.sum())
    weights = np.zeros_like(logits)
    weights[region, index] = 1 / count if mean else 1
    where = asked.where if isinstance(asked.where, str) else next(iter(type(asked.where).model_fields))
    name = f"class {index}" if label is None else f"{label} ({index})"
    return WeightedTarget(weights, f"{name} at {count} position{'s' if count > 1 else ''} ({where})")


def element_weights(asked: ElementTarget, shape: tuple[int, ...], output: str | None) -> WeightedTarget:
    """Return 1 for the element.

    Raises:
        InvalidParameters: the output for this photo has no such element.
    """
    of_output = "" if output is None else f" of {output}"
    return WeightedTarget(_one_at(asked.element, shape, "/params/target/element"), f"element {list(asked.element)}{of_output}")


def activation_weights(asked: LayerActivation, shape: tuple[int, ...]) -> WeightedTarget:
    """Return 1 for the neuron, or 1 / positions for all positions of the channel.

    Raises:
        InvalidParameters: the layer for this photo has no such position.
    """
    name = f"channel {asked.channel} of {asked.layer}"
    if asked.position is not None:
        weights = _one_at((*asked.position, asked.channel), shape, "/params/target/activation/position")
        return WeightedTarget(weights, f"{name} at {list(asked.position)}")
    weights = np.zeros(shape, np.float32)
    weights[..., asked.channel] = 1 / np.prod(shape[:-1])
    return WeightedTarget(weights, name)


def similarity_weights(asked: SimilarImage, other: Float32[np.ndarray, "*values"], shape: tuple[int, ...]) -> WeightedTarget:
    """Return the other image's values, divided by their Euclidean length.

    Raises:
        InvalidParameters: the values of the two images have different shapes, or the other image's are all zero.
    """
    length = np.linalg.norm(other)
    if other.shape != shape or length < _LEAST_LENGTH:
        why = "are all zero" if other.shape == shape else f"have the shape {other.shape}, and those of the photo {shape}"
        raise InvalidParameters(
            f"The values of the image to compare with {why}.", pointer="/params/target/similarity/image", got=asked.image
        )
    return WeightedTarget(other / length, f"cosine with image {asked.image[:12]}")


def _region(asked: ClassRegion, logits: Float32[np.ndarray, "h w classes"], photo: Photo, mask: Prepared | None) -> Bool[np.ndarray, "h w"]:
    where, size = asked.where, (logits.shape[0], logits.shape[1])
    if isinstance(where, BoxRegion):
        return box_region(where, photo, size)
    if isinstance(where, PointRegion):
        return point_region(where, photo, size)
    if isinstance(where, MaskRegion):
        if mask is None:
            raise ValueError("the mask image was not loaded")
        return mask_region(mask.photo.image, photo, size)
    return predicted_region(logits, class_number(asked.class_), photo)


def _one_at(place: tuple[int, ...], shape: tuple[int, ...], pointer: str) -> Float32[np.ndarray, "*values"]:
    weights = np.zeros(shape, np.float32)
    try:
        weights[place] = 1
    except IndexError:
        raise InvalidParameters(
            f"For this photo, the values have the shape {shape}, so there is none at {list(place)}.", pointer=pointer, got=str(list(place))
        ) from None
    return weights


def class_number(selector: int | str) -> int:
    """Return the class index of a resolved target. Raise `ValueError` if it still holds a label."""
    if isinstance(selector, str):
        raise ValueError(f"the parameters are not resolved: a class is {selector!r}")
    return selector
