"""Describe a model's layers: their kinds, their shapes, and the input pixels that their positions see."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.models.immutable import ImmutableSchema

MAX_LAYER_PATH = 512
LayerPath = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_LAYER_PATH,
        description="A layer's path: `block5_conv3`, or `base/block5_conv3` inside a nested model.",
        examples=["head_relu"],
    ),
]


Pixels = int | float
"""A length in pixels of the input. Whole numbers are integers."""


class LayerKind(StrEnum):
    """The kind of a layer says broadly what it does. `?kind=` takes these values."""

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


REPEATING_KINDS = frozenset(
    {LayerKind.INPUT, LayerKind.POOLING, LayerKind.RESHAPE, LayerKind.REGULARIZATION, LayerKind.PREPROCESSING, LayerKind.MODEL}
)
"""Layers of these kinds are never chosen as target layer: their map is another layer's map, smaller or with holes."""


class ReceptiveField(ImmutableSchema):
    """The input pixels that one position of a layer sees.

    Position (y, x) sees `size[0]` rows, the first of which is `offset[0] + y · stride[0]`. The columns follow the same rule.
    The numbers are whole, except after a layer that resizes the map by a factor which is not.
    """

    size: tuple[Pixels, Pixels] = Field(description="(height, width) of the receptive field in input pixels.")
    stride: tuple[Pixels, Pixels] = Field(
        description="(down, across) distance of neighbouring positions in input pixels. It is negative if the model mirrors the image "
        "before the layer."
    )
    offset: tuple[Pixels, Pixels] = Field(
        default=(0, 0),
        description="The row and column where position (0, 0) begins to see; it is negative in the padding. "
        "If the input's size is free, this holds for sides that are divisible by all strides.",
    )


class TokenGrid(ImmutableSchema):
    """Says that a layer's tokens (T, K) are the positions of a map, row by row."""

    height: int = Field(description="The number of the map's rows.")
    width: int = Field(description="The number of the map's columns.")
    before: int = Field(default=0, description="The number of other tokens (class tokens) before the map's tokens.")


class Layer(ImmutableSchema):
    """One layer of a model, as it stands in the model's graph."""

    path: LayerPath
    type: str = Field(description="The Keras class, for example `Conv2D`.")
    kind: LayerKind
    output_shape: tuple[int | None, ...] = Field(
        description="The output's shape without the batch axis, in the order h, w, K. A size that varies is null."
    )
    parameters: int = Field(description="The number of the layer's weights, trainable or not.")
    channels: int | None = Field(description="The size of the last (channel) axis. It is null if there is no such axis.")
    receptive_field: ReceptiveField | None = Field(description="It is null if it is not defined, for example after a dense layer.")
    inbound: tuple[str, ...] = Field(description="The paths of the layers whose outputs this layer reads.")
    token_grid: TokenGrid | None = Field(
        default=None, description="The map that the layer's tokens (T, K) form. It is null if the layer has no tokens or they form no map."
    )
    cam_able: bool = Field(
        description="True if the layer has a spatial map (h, w, K), or tokens that form one, and the class score is computed from it."
    )
    activation: str | None = Field(
        default=None,
        description="The activation function that the layer has as an argument, such as `relu`. It is null if there is none.",
    )
    dtype: str | None = Field(default=None, description="The output's data type. It is null if it is not known.")
    calls: int = Field(default=1, description="The number of calls of the layer. `inbound` and the shapes are those of the first call.")
    inputs: tuple[str, ...] = Field(
        default=(),
        description="The names of the model's inputs from which the layer is computed. It is empty for a model of one input.",
    )
