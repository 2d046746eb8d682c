"""What every method's parameters share: the base class, the method's card, and the fields that name layers and classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from schemas.errors import InvalidParameters, LimitExceeded, UnsuitableLayer
from schemas.images import IMAGE_ID_PATTERN
from schemas.limits import MethodLimits
from schemas.models import Layer, LayerPath, PublishedModel

Lane = Literal["fast", "slow"]
ArtifactKind = Literal["image", "animation", "array", "document"]
DocumentType = Literal["image/svg+xml", "text/vnd.graphviz", "application/json"]
Precision = Literal["float32", "bfloat16"]
Colormap = Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"]
ClassSelector = Annotated[
    int | Annotated[str, Field(min_length=1, max_length=256)],
    Field(description="A class index, or a label (case ignored).", examples=[285, "Egyptian cat"], union_mode="left_to_right"),
]


@dataclass(frozen=True)
class ArtifactSpec:
    """An artifact a method makes. `name` may hold `{layer}` where there is one for each layer, or `{channel}`.

    A document has a `media_type`. An `optional` one may be missing: its description says when, or the job's warnings why.
    """

    name: str
    kind: ArtifactKind
    description: str
    primary: bool = False
    media_type: DocumentType | None = None
    optional: bool = False


class Facts(BaseModel):
    """What a method found, in numbers and words; each method has its own subclass."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Prediction(BaseModel):
    """One class and its score."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    class_index: int
    label: str | None
    logit: float
    probability: float


@dataclass(frozen=True)
class MethodCard:
    """A method as `GET /v1/methods` shows it. `example` is the `params` of an example request that any image classifier accepts.

    One that needs no model works on the photo alone, off the device.
    """

    name: str
    title: str
    summary: str
    reference: str
    needs_image: bool
    lane: Lane
    artifacts: tuple[ArtifactSpec, ...]
    facts: type[Facts]
    example: dict[str, JsonValue]
    needs_model: bool = True


class MethodParams(BaseModel):
    """Base of all parameter models. A concrete one has a `card`; its module stands in this folder and nothing else is needed
    for it to be found.

    `resolve` fills in what only the model decides (the default layer, a label's class index, a preset's numbers) and checks
    what only the model can check; what comes out is complete, is what the job shows as its `params`, and is what workers run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    card: ClassVar[MethodCard]

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        """These parameters, complete for `model`.

        Raises:
            UnknownLayer, UnsuitableLayer, UnknownClass, UnknownChannel, InvalidParameters, LimitExceeded
        """
        return self

    def resolve_alone(self, limits: MethodLimits) -> Self:
        """As `resolve`, of a method that needs no model."""
        return self

    def changed(self, **changes: Any) -> Self:
        """A validated copy with some fields replaced."""
        return type(self).model_validate({**dict(self), **changes})


def default_layer(model: PublishedModel, output: str | None = None) -> str:
    """The model's default target layer for an output's classes; `UnsuitableLayer` where it has none."""
    path = model.description.head_at(output).default_layer
    if path is None:
        raise UnsuitableLayer(f"Model '{model.description.name}' has no layer with a spatial map: name a layer.", pointer="/params/layer")
    return path


def mapped_layer(model: PublishedModel, path: str) -> Layer:
    """The layer at `path`; `UnsuitableLayer` where its answer is no map (h, w, K), nor tokens that form one."""
    layer = model.description.layer_at(path)
    if len(layer.output_shape) != 3 and layer.token_grid is None:
        raise UnsuitableLayer(
            f"Layer '{path}' ({layer.type}, output {layer.output_shape}) has no spatial map (h, w, K).", pointer="/params/layer", got=path
        )
    return layer


def spatial_layer(model: PublishedModel, path: str, output: str | None = None) -> str:
    """`path`; `UnsuitableLayer` where that layer has no spatial map from which the class score is reached.

    Of an output that is not the first only the worker knows what it is reached from.
    """
    layer = model.description.layer_at(path)
    has_map = len(layer.output_shape) == 3 or layer.token_grid is not None
    suits = layer.cam_able if output is None or model.description.outputs[:1] == (output,) else has_map
    if not suits:
        near = [other.path for other in model.description.layers if other.cam_able][-5:]
        raise UnsuitableLayer(
            f"Layer '{path}' ({layer.type}, output {layer.output_shape}) has no spatial map from which the class score is reached. "
            f"Layers that do include: {', '.join(near) or 'none'}.",
            pointer="/params/layer",
            got=path,
            nearest=near,
        )
    return path


class OutputParams(MethodParams):
    """Parameters of a method that gives class scores."""

    output: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="Of a model with several outputs, whose classes are meant; null: the first's.",
    )


class TargetLayerParams(MethodParams):
    """Parameters of a method that looks at one layer with a spatial map."""

    layer: LayerPath | None = Field(default=None, description="Target layer; null: the model's default.")

    def resolve_layer(self, model: PublishedModel) -> str:
        return mapped_layer(model, self.layer or default_layer(model)).path


class TargetClassParams(OutputParams):
    """Parameters of a method that explains a class score, or several."""

    class_index: ClassSelector | Annotated[tuple[ClassSelector, ...], Field(min_length=1)] | None = Field(
        default=None, description="The class to explain: an index, a label, or a list of them; null: the top class."
    )
    sign: Literal[1, -1] = Field(default=1, description="With a binary sigmoid head: explain the positive (1) or the negative (-1) answer.")

    def class_selectors(self) -> tuple[int | str, ...] | None:
        """The classes asked for, as a tuple; None for the top class."""
        if self.class_index is None or isinstance(self.class_index, tuple):
            return self.class_index
        return (self.class_index,)

    def class_rows(self) -> tuple[int, ...]:
        """Of resolved parameters: the class indices, -1 for the top class.

        Raises:
            ValueError: the parameters are not resolved.
        """
        rows: list[int] = []
        for selector in (-1,) if (selectors := self.class_selectors()) is None else selectors:
            if isinstance(selector, str):
                raise ValueError(f"the parameters are not resolved: class_index is {self.class_index!r}")
            rows.append(selector)
        return tuple(rows)

    def resolve_classes(self, model: PublishedModel, limits: MethodLimits) -> int | tuple[int, ...] | None:
        selectors = self.class_selectors()
        if selectors is not None and len(selectors) > limits.max_classes:
            raise LimitExceeded(
                f"One job explains at most {limits.max_classes} classes, got {len(selectors)}.",
                pointer="/params/class_index",
                allowed=f"at most {limits.max_classes}",
                got=str(len(selectors)),
            )
        head = model.description.head_at(self.output)
        if self.sign == -1 and not (head.head == "sigmoid" and head.classes == 1):
            raise InvalidParameters(
                f"sign -1 is for models with one sigmoid output; '{model.description.name}' has head "
                f"'{head.head}' and {head.classes} classes.",
                pointer="/params/sign",
                allowed="1",
                got="-1",
            )
        if selectors is None:
            if head.classes is None:
                model.class_index_of(0, output=self.output)  # says that there is no class output
            return None
        indices = tuple(model.class_index_of(selector, output=self.output) for selector in selectors)
        return indices if isinstance(self.class_index, tuple) else indices[0]


class ImagesParams(MethodParams):
    """Parameters of a method that reads several uploaded images; its card's `needs_image` is of the one in the submission."""

    images: tuple[Annotated[str, Field(pattern=IMAGE_ID_PATTERN)], ...] = Field(
        min_length=1, description="Ids of images uploaded with `POST /v1/images`, each once; in a form also the files themselves."
    )

    @field_validator("images")
    @classmethod
    def _each_once(cls, images: tuple[str, ...]) -> tuple[str, ...]:
        first: dict[str, int] = {}
        for at, image in enumerate(images):
            if first.setdefault(image, at) != at:
                raise ValueError(f"each image once: number {at} is number {first[image]} again")
        return images

    def check_count(self, limits: MethodLimits) -> None:
        if len(self.images) > limits.max_images:
            raise too_many_images(limits, str(len(self.images)), "/params/images")


def too_many_images(limits: MethodLimits, got: str, pointer: str) -> LimitExceeded:
    return LimitExceeded(
        f"One job reads at most {limits.max_images:,} images, got {got}.",
        pointer=pointer,
        allowed=f"at most {limits.max_images}",
        got=got,
    )


class PrecisionParams(MethodParams):
    """Parameters of a method whose device work can run in bfloat16."""

    precision: Precision = Field(
        default="float32", description="Arithmetic of the forward and backward pass; `bfloat16` is faster where the hardware has it."
    )
