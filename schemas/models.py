"""What is known of a model: its summary, its description, its layers, its preprocessing."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import InvalidParameters, UnknownClass, UnknownLayer, nearest_names

# A model that takes any size gets a photo with at most this on its longest side.
VARIABLE_LONGEST_SIDE = 512

NO_MODEL = "none"  # what stands in place of a model's name where a method needs none
MODEL_NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"

ModelName = Annotated[str, Field(pattern=MODEL_NAME_PATTERN, examples=["efficientnet_lite0"])]
LayerPath = Annotated[
    str,
    Field(
        min_length=1,
        max_length=512,
        description="A layer's path: `block5_conv3`, or `base/block5_conv3` inside a nested model.",
        examples=["head_relu"],
    ),
]
ModelSource = Literal["builtin", "keras_applications", "file"]
HeadKind = Literal["softmax", "sigmoid", "logits", "none"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Preprocessing(_Frozen):
    """How an RGB photo (uint8, H W 3) becomes the model's input (float32): resize and fit, then channel order, then
    `(x - mean) / std` for each channel.

    `mode` names a common convention and fixes the numbers: `caffe` (BGR, mean 103.939, 116.779, 123.68 in that order,
    std 1), `tf` (x / 127.5 - 1), `torch` (x / 255, ImageNet mean and std), `none` (0-255 as they are), `custom` (the
    numbers given here). In every mode `mean`, `std` and `order` carry the numbers that are used.
    """

    mode: Literal["caffe", "tf", "torch", "none", "custom"] = "none"
    order: Literal["rgb", "bgr", "gray"] = "rgb"
    mean: tuple[float, ...] = Field(default=(0.0,), min_length=1, description="In 0-255 units, one a channel (in `order`) or one for all.")
    std: tuple[float, ...] = Field(default=(1.0,), min_length=1, description="In 0-255 units, one a channel (in `order`) or one for all.")
    resize: Literal["nearest", "bilinear", "bicubic", "area", "lanczos"] = "bilinear"
    fit: Literal["stretch", "crop", "letterbox"] = Field(
        default="stretch", description="`stretch` ignores the aspect ratio; `crop` cuts the centre; `letterbox` pads with the mean."
    )

    @staticmethod
    def named(mode: Literal["caffe", "tf", "torch", "none"], **changes: str) -> Preprocessing:
        """The numbers of a named convention, as `keras.applications.imagenet_utils.preprocess_input` has them."""
        numbers: dict[str, tuple[str, tuple[float, ...], tuple[float, ...]]] = {
            "caffe": ("bgr", (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
            "tf": ("rgb", (127.5,), (127.5,)),
            "torch": ("rgb", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
            "none": ("rgb", (0.0,), (1.0,)),
        }
        order, mean, std = numbers[mode]
        return Preprocessing.model_validate({"mode": mode, "order": order, "mean": mean, "std": std, **changes})


class InputSpec(_Frozen):
    """The model's image input. `null` height or width: any size works."""

    name: str
    height: int | None
    width: int | None
    channels: int


class LayerKind(StrEnum):
    """What a layer does, coarsely; the value of `?kind=`."""

    INPUT = "input"
    CONV = "conv"
    DENSE = "dense"
    ACTIVATION = "activation"
    NORMALIZATION = "normalization"
    POOLING = "pooling"
    MERGE = "merge"
    RESHAPE = "reshape"
    REGULARIZATION = "regularization"
    PREPROCESSING = "preprocessing"
    RECURRENT = "recurrent"
    ATTENTION = "attention"
    MODEL = "model"
    OTHER = "other"


class ReceptiveField(_Frozen):
    """Input pixels one position of the layer sees: `size` and `stride` as (height, width) in input pixels.

    Position (y, x) sees rows from offset + y · stride on, as many as the size; columns likewise.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    offset: tuple[int, int] = Field(
        default=(0, 0),
        description="Row and column where position (0, 0) begins to see: negative in the padding. Of an input whose size is free, for "
        "sides that all strides divide.",
    )


class TokenGrid(_Frozen):
    """Tokens (T, K) that are a map's positions, row by row; `before` others (class tokens) stand before them."""

    height: int
    width: int
    before: int = 0


class Layer(_Frozen):
    """One layer of a model, as the graph has it."""

    path: LayerPath
    type: str = Field(description="The Keras class, e.g. `Conv2D`.")
    kind: LayerKind
    output_shape: tuple[int | None, ...] = Field(description="Without the batch axis, in N h w K order; null where it varies.")
    parameters: int
    channels: int | None = Field(description="Size of the last (channel) axis; null where there is none.")
    receptive_field: ReceptiveField | None = Field(description="Null where it is not defined (after a dense layer, say).")
    inbound: tuple[str, ...] = Field(description="Paths of the layers it reads.")
    token_grid: TokenGrid | None = Field(default=None, description="Of a layer with tokens (T, K): the map that they form; null: none.")
    cam_able: bool = Field(description="Has a spatial map (h, w, K), or tokens that form one, from which the class score can be reached.")
    activation: str | None = Field(default=None, description="The function that is an argument of the layer: `relu`; null: it has none.")
    dtype: str | None = Field(default=None, description="Of the output; null where it is not known.")
    calls: int = Field(default=1, description="How often the model calls it; `inbound` and shapes are the first call's.")


class ModelSummary(_Frozen):
    """One row of `GET /v1/models`. Fields that only a loaded model can tell are null until a worker has described it."""

    name: ModelName
    source: ModelSource
    title: str = ""
    input: InputSpec | None
    preprocessing: Preprocessing | None
    classes: int | None
    loaded: int = Field(description="On how many workers it is in memory now.")


class OutputHead(_Frozen):
    """One output of a model."""

    name: str
    classes: int | None = Field(description="Number of classes; null without a (N, classes) output.")
    head: HeadKind
    default_layer: str | None = Field(description="The target layer when none is named and the class is of this output.")


class ModelDescription(_Frozen):
    """`GET /v1/models/{model}`: everything a client needs to draw the model and to validate a request.

    `layer_at` raises `UnknownLayer` with the nearest paths.
    """

    name: ModelName
    source: ModelSource
    title: str = ""
    input: InputSpec
    preprocessing: Preprocessing
    classes: int | None = Field(description="Number of classes of the first output; null without a (N, classes) output.")
    head: HeadKind = Field(description="What the output ends in; class scores are taken before it. `none`: no (N, classes) output.")
    outputs: tuple[str, ...] = Field(description="Output names, in order.")
    heads: tuple[OutputHead, ...] = Field(default=(), description="What each output ends in, in order.")
    other_inputs: tuple[str, ...] = Field(default=(), description="Inputs beside the photo's; they are given zeros.")
    loaded: int = 0
    fingerprint: str = Field(description="sha256 of architecture and weights.")
    parameters: int
    default_layer: str | None = Field(description="The target layer when none is named: the last with a spatial map, after its activation.")
    layers: tuple[Layer, ...]

    def head_at(self, output: str | None, pointer: str = "/params/output") -> OutputHead:
        """The output of that name; None: the first.

        Raises:
            InvalidParameters: there is none, with those that there are.
        """
        if output is None or self.outputs[:1] == (output,):
            name = self.outputs[0] if self.outputs else ""
            return OutputHead(name=name, classes=self.classes, head=self.head, default_layer=self.default_layer)
        for head in self.heads:
            if head.name == output:
                return head
        allowed = ", ".join(self.outputs)
        raise InvalidParameters(
            f"Model '{self.name}' has no output '{output}', only {allowed}.", pointer=pointer, allowed=allowed, got=output
        )

    @cached_property
    def _by_path(self) -> dict[str, Layer]:
        return {layer.path: layer for layer in self.layers}

    def layer_at(self, path: str, pointer: str = "/params/layer") -> Layer:
        try:
            return self._by_path[path]
        except KeyError:
            nearest = nearest_names(path, self._by_path)
            hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
            raise UnknownLayer(
                f"Model '{self.name}' has no layer '{path}'.{hint} See /v1/models/{self.name}/layers.",
                pointer=pointer,
                got=path,
                nearest=nearest,
            ) from None


class ClassLabel(_Frozen):
    """A class of a model's output."""

    class_index: int
    label: str | None


class PublishedModel(_Frozen):
    """What a worker publishes of a model: its description and its labels, valid for one catalogue entry's `digest`.

    Labels are one a class of the first output, in order; empty where none are known.
    """

    description: ModelDescription
    labels: tuple[str, ...]
    digest: str

    def label_of(self, class_index: int, output: str | None = None) -> str | None:
        """Of a class of the first output; None of any other, and where there are no labels."""
        labels = self.labels_of(output)
        return labels[class_index] if class_index < len(labels) else None

    def labels_of(self, output: str | None) -> tuple[str, ...]:
        return self.labels if output is None or self.description.outputs[:1] == (output,) else ()

    def class_index_of(self, value: int | str, pointer: str = "/params/class_index", output: str | None = None) -> int:
        """The class index of `output` (None: the first) that `value` (an index or a label, case ignored) names.

        Raises:
            UnknownClass: no such index or label, or a label that several classes share.
        """
        name, classes, labels = self.description.name, self.description.head_at(output).classes, self.labels_of(output)
        if classes is None:
            raise UnknownClass(f"Model '{name}' has no class output.", pointer=pointer, got=str(value))
        if isinstance(value, int):
            if not 0 <= value < classes:
                raise UnknownClass(
                    f"Model '{name}' has {classes} classes: class_index must be 0 to {classes - 1}, got {value}.",
                    pointer=pointer,
                    allowed=f"0 to {classes - 1}",
                    got=str(value),
                )
            return value
        wanted = value.strip().casefold()
        found = [index for index, label in enumerate(labels) if wanted == label.casefold()] or [
            index for index, label in enumerate(labels) if wanted in (part.strip().casefold() for part in label.split(","))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            shared = ", ".join(f"{index} ({labels[index]})" for index in found)
            raise UnknownClass(f"Label '{value}' names several classes: {shared}. Give the index.", pointer=pointer, got=value)
        if not labels:
            raise UnknownClass(f"Model '{name}' has no labels: give class_index as a number.", pointer=pointer, got=value)
        nearest = nearest_names(value, labels)
        hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
        raise UnknownClass(
            f"Model '{name}' has no class labelled '{value}'.{hint} Search /v1/models/{name}/labels?q=…",
            pointer=pointer,
            got=value,
            nearest=nearest,
        )
