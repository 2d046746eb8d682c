"""Targets other than one class: what a method can explain in a model's outputs or layers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.images import ADDRESS_ALLOWED, NamedImage
from schemas.models import LayerPath

ClassSelector = Annotated[
    int | Annotated[str, Field(min_length=1, max_length=256)],
    Field(
        description="This is a class index, or a class label. Upper and lower case letters of a label count as equal.",
        examples=[285, "Egyptian cat"],
        union_mode="left_to_right",
    ),
]
Index = Annotated[int, Field(ge=0)]
NEAREST = 3
"""This many classes are compared if the nearest ones are asked for, as in FinerCAM."""


class _TargetPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class ClassTarget(_TargetPart):
    """The score of a class, or of each class of a list. It is the long form of `class_index`."""

    class_: ClassSelector | Annotated[tuple[ClassSelector, ...], Field(min_length=1)] = Field(
        alias="class", description="This is a class index, a class label, or a list of them."
    )


class ClassDifference(_TargetPart):
    """A class and the classes that it is compared with."""

    of: ClassSelector | None = Field(default=None, description="This is the class. If it is null, it is the class with the highest logit.")
    from_: Literal["nearest"] | Annotated[tuple[ClassSelector, ...], Field(min_length=1)] = Field(
        default="nearest",
        alias="from",
        description=(
            "These are the classes that it is compared with. `nearest` stands for the three classes whose logits are nearest to that of "
            "the class."
        ),
    )
    weight: float = Field(default=1.0, ge=0, le=10, description="The mean score of the other classes is multiplied by this number, 0-10.")


class DifferenceTarget(_TargetPart):
    """The score of a class minus the mean score of others: what tells it from them (FinerCAM, arXiv:2501.11309)."""

    difference: ClassDifference = Field(description="These are the class and the classes that it is compared with.")


class BoxRegion(_TargetPart):
    """The positions in a box of the photo."""

    box: tuple[float, float, Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = Field(
        description="This is the box (top, left, height, width) in pixels of the photo. Height and width are above 0."
    )


class MaskRegion(_TargetPart):
    """The positions where a mask image is bright."""

    mask: NamedImage = Field(
        description="This is the id of an uploaded image of the photo's size. The region is where a channel of it is above 127. "
        f"{ADDRESS_ALLOWED}"
    )


class PointRegion(_TargetPart):
    """The one position at a point of the photo."""

    point: tuple[float, float] = Field(description="This is the point (y, x) in pixels of the photo.")


class ClassRegion(_TargetPart):
    """A class of an output with classes at each position, and the positions that count."""

    class_: ClassSelector = Field(alias="class", description="This is a class index, or a class label.")
    where: Literal["predicted"] | BoxRegion | MaskRegion | PointRegion = Field(
        default="predicted", description="`predicted` stands for the positions at which the model finds the class more likely than others."
    )


class RegionTarget(_TargetPart):
    """The sum of a class's scores over a region of an output (N, h, w, classes) (Seg-Grad-CAM, arXiv:2002.11434)."""

    region: ClassRegion = Field(description="These are the class and the positions that count.")


class ElementTarget(_TargetPart):
    """One value of an output as it is, for example a regression value or the class score of one box."""

    element: Annotated[tuple[Index, ...], Field(min_length=1, max_length=8)] = Field(
        description="This is the place of the value in the output, without the batch axis."
    )


class SimilarImage(_TargetPart):
    """An image to compare with, and the values that are compared."""

    image: NamedImage = Field(description=f"This is the id of an image that was uploaded. {ADDRESS_ALLOWED}")
    layer: LayerPath | None = Field(
        default=None, description="The activations of this layer are compared. If it is null, the values of the output are compared."
    )


class SimilarityTarget(_TargetPart):
    """The cosine of an embedding with that of another image."""

    similarity: SimilarImage = Field(description="These are the other image and the values that are compared.")


class LayerActivation(_TargetPart):
    """A channel of a layer, or one position of it."""

    layer: LayerPath
    channel: Index = Field(description="This is the index of the channel.")
    position: Annotated[tuple[Index, ...], Field(min_length=1, max_length=3)] | None = Field(
        default=None,
        description="This is the position, (y, x) for a map. If it is null, the mean of the channel over all positions is explained.",
    )


class ActivationTarget(_TargetPart):
    """The activation of a channel or of a neuron."""

    activation: LayerActivation = Field(description="These are the layer, the channel and the position.")


def long_form(value: Any) -> Any:
    """Return `{"class": value}` for a bare class index, label or list of them, and any other value as it is.

    A text that begins with a brace is a JSON object with a mistake, and not a label.
    """
    label = isinstance(value, str) and not value.lstrip().startswith("{")
    if label or (isinstance(value, int | list | tuple) and not isinstance(value, bool)):
        return dict[str, Any]({"class": value})
    return value  # pyright: ignore[reportUnknownVariableType] - the items of a list are not looked at here


OtherTarget = DifferenceTarget | RegionTarget | ElementTarget | SimilarityTarget | ActivationTarget
"""A target that is not the score of one class."""
Target = ClassTarget | OtherTarget
_ShortForm = ClassSelector | Annotated[tuple[ClassSelector, ...], Field(min_length=1)]
AnyTarget = Annotated[Target, BeforeValidator(long_form, json_schema_input_type=Target | _ShortForm)]
"""A target as a request gives it. A class may be given by its index or label alone, and classes as a list of them."""


def target_name(target: OtherTarget) -> str:
    """Return the key by which a request names this kind of target, for example `region`."""
    return next(iter(type(target).model_fields))


def target_image(target: Target | None) -> str | None:
    """Return the id of the image that a target needs beside the photo, or None."""
    if isinstance(target, SimilarityTarget):
        return target.similarity.image
    return mask_image(target.region.where) if isinstance(target, RegionTarget) else None


def mask_image(region: object) -> str | None:
    """Return the id of the mask image that a region of the photo names, or None for a region of another kind."""
    return region.mask if isinstance(region, MaskRegion) else None
