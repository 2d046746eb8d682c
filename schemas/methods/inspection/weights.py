"""The parameters and facts of `weights`: the weights of a layer, as pictures and arrays."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.errors import LimitExceeded, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.channels import check_channels
from schemas.methods.colormap import Colormap, SignedColormap
from schemas.methods.facts import Facts
from schemas.models import Layer, LayerKind, LayerPath, ModelDescription, PublishedModel


class WeightStatistics(Facts):
    """One weight of the layer. Values that are not finite count as 0."""

    name: str = Field(
        description="This is the name of the weight, for example `kernel`, `bias` or `gamma`, or `query/kernel` inside a composite layer."
    )
    shape: tuple[int, ...] = Field(
        description="This is the shape that Keras gives it, for example (kh, kw, inputs, filters) for a convolution."
    )
    min: float = Field(description="This is the smallest value.")
    max: float = Field(description="This is the largest value.")
    mean: float = Field(description="This is the mean of the values.")
    std: float = Field(description="This is the standard deviation of the values.")
    zeros: float = Field(ge=0, le=1, description="This is the share of values that are exactly 0, 0-1.")


class WeightsFacts(Facts):
    layer: str = Field(description="This is the path of the layer.")
    type: str = Field(description="This is the layer's Keras class.")
    weights: tuple[WeightStatistics, ...] = Field(description="These are the layer's weights in Keras's order.")


class Weights(MethodParams):
    """A layer's weights: kernels as tiles, matrices, and plots of the weights that have one number for each channel."""

    card: ClassVar[MethodCard] = MethodCard(
        name="weights",
        title="Weights",
        summary=(
            "This method draws a layer's kernels as tiles (in colour if they read three channels), a dense layer as a matrix, and batch "
            "norm as plots. It returns histograms, statistics and the arrays too."
        ),
        reference="Caffe notebook 'Instant Recognition' (vis_square of conv1 and conv2); Krizhevsky et al., NIPS 2012, figure 3",
        formula="the layer's kernels, all of them on one scale",
        cost="No pass: the weights are read.",
        how_to_read=(
            "First layers show edges, colours and blobs. Smooth kernels are a sign of a well trained layer; kernels that look like noise "
            "are a sign of too short training or too little data. Red weights add what is bright at their place, blue weights subtract it. "
            "A 1 × 1 convolution is a matrix: a column says from which input channels an output channel is mixed."
        ),
        when_it_misleads=(
            "Kernels of later layers read many channels at once, so their tiles have no meaning for the eye; use `filters` there."
        ),
        needs_image=False,
        lane="fast",
        artifacts=(
            ArtifactSpec("grid", "image", "This shows the kernels as tiles, the matrix, or the plots, each under its title.", primary=True),
            ArtifactSpec("histogram", "image", "This is a histogram of each weight's values in 100 bins."),
            ArtifactSpec(
                "{weight}",
                "array",
                "This is a weight in float32 with Keras's axes, by its name in `facts`. Each '/' in the name becomes '.'.",
            ),
        ),
        facts=WeightsFacts,
        example={"layer": None},
    )

    layer: LayerPath | None = Field(
        default=None, description="This is the path of a layer with weights. If it is null, the first convolution with weights is used."
    )
    filters: Annotated[int, Field(ge=1)] | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] | None = Field(
        default=None,
        description="These are the filters of a convolution to draw: a number n for the first n, or a list of indices. If it is null, "
        "all are "
        "drawn. A matrix is always drawn whole.",
    )
    inputs: int | None = Field(
        default=None,
        ge=1,
        description="Only the kernels of the first n inputs of each filter are drawn, unless the filter reads three channels. If it is "
        "null, all are drawn.",
    )
    colormap: Colormap | SignedColormap | None = Field(
        default=None,
        description=(
            "These are the colours. With `signed`, negative weights are blue, positive ones red, and 0 is white; the other colormaps go "
            "from the smallest weight to the largest. If it is null, it is `signed`, or `gray` if `annotate` is false. Kernels that read "
            "three channels are drawn in RGB instead."
        ),
    )
    annotate: bool = Field(
        default=True,
        description=(
            "If it is true, the picture has a title, the scale of its colours, and numbers on tiles or axes. If it is false, it shows the "
            "weights under a short title."
        ),
    )
    columns: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description=(
            "This is the number of tiles in a row. If it is null, there are about as many columns as rows; or, if `annotate` is true and a "
            "filter has several tiles, each row is a filter."
        ),
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Weights:
        description = model.description
        layer = _default(description) if self.layer is None else description.layer_at(self.layer)
        if layer.kind is LayerKind.MODEL:
            inner = [each.path for each in description.layers if each.path.startswith(f"{layer.path}/") and each.parameters]
            raise UnsuitableLayer(
                f"'{layer.path}' is a whole model. Name one of its layers with weights: {_some(inner)}.",
                pointer="/params/layer",
                got=layer.path,
                nearest=inner[:3],
            )
        if not layer.parameters:
            near = [each.path for each in _weighted(description)]
            raise UnsuitableLayer(
                f"Layer '{layer.path}' ({layer.type}) has no weights. Layers that have weights: {_some(near)}.",
                pointer="/params/layer",
                got=layer.path,
                nearest=near[:3],
            )
        if layer.parameters > limits.max_layer_weights:
            raise LimitExceeded(
                f"Layer '{layer.path}' has {layer.parameters:,} weights, but one job shows at most {limits.max_layer_weights:,}.",
                pointer="/params/layer",
                allowed=f"at most {limits.max_layer_weights} weights",
                got=str(layer.parameters),
            )
        self._check_filters(layer)
        return self.changed(layer=layer.path, colormap=self.colormap or ("signed" if self.annotate else "gray"))

    def _check_filters(self, layer: Layer) -> None:
        if layer.kind is LayerKind.CONV and layer.channels is not None and isinstance(self.filters, tuple):
            check_channels(layer, self.filters, "/params/filters", name="filters")


def _weighted(description: ModelDescription) -> list[Layer]:
    return [layer for layer in description.layers if layer.parameters and layer.kind is not LayerKind.MODEL]


def _default(description: ModelDescription) -> Layer:
    """Return the first convolution with weights, or the first layer with weights if there is no such convolution."""
    weighted = _weighted(description)
    if not weighted:
        raise UnsuitableLayer(f"Model '{description.name}' has no layer with weights.", pointer="/model", got=description.name)
    return next((layer for layer in weighted if layer.kind is LayerKind.CONV), weighted[0])


def _some(paths: list[str]) -> str:
    return ", ".join(paths[:5]) + (", …" if len(paths) > 5 else "") if paths else "none"
