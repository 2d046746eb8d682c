"""`weights`: what a layer has learned, as it is stored."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.errors import LimitExceeded, UnknownChannel, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.colormap import Colormap
from schemas.methods.facts import Facts
from schemas.models import Layer, LayerKind, LayerPath, ModelDescription, PublishedModel


class WeightStatistics(Facts):
    """One weight of the layer; what is not finite counts as 0."""

    name: str = Field(description="`kernel`, `bias`, `gamma`; `query/kernel` inside a composite layer.")
    shape: tuple[int, ...] = Field(description="As Keras has it: (kh, kw, inputs, filters) for a convolution.")
    min: float
    max: float
    mean: float
    std: float
    zeros: float = Field(ge=0, le=1, description="Share of values that are exactly 0.")


class WeightsFacts(Facts):
    layer: str
    type: str = Field(description="The Keras class.")
    weights: tuple[WeightStatistics, ...]


class Weights(MethodParams):
    """A layer's weights: kernels as pictures, matrices, plots of what is one number a channel; histograms; the arrays."""

    card: ClassVar[MethodCard] = MethodCard(
        name="weights",
        title="Weights",
        summary=(
            "A layer's kernels tiled (in colour where they read three channels), a dense layer as a matrix, batch norm as plots; "
            "histograms, statistics and the arrays."
        ),
        reference="Caffe notebook 'Instant Recognition' (vis_square of conv1 and conv2); Krizhevsky et al., NIPS 2012, figure 3",
        needs_image=False,
        lane="fast",
        artifacts=(
            ArtifactSpec("grid", "image", "Kernels tiled, or matrix, or plots, titled; several under one another.", primary=True),
            ArtifactSpec("histogram", "image", "A histogram of each weight's values, 100 bins."),
            ArtifactSpec("{weight}", "array", "Each weight, float32, Keras's axes, by its name in `facts` ('/' becomes '.')."),
        ),
        facts=WeightsFacts,
        example={"layer": None},
    )

    layer: LayerPath | None = Field(default=None, description="A layer with weights; null: the first convolution.")
    filters: Annotated[int, Field(ge=1)] | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Drawn filters of a convolution: the first n, or a list of indices; null: all. Matrices are drawn whole.",
    )
    inputs: int | None = Field(
        default=None, ge=1, description="Of each filter that does not read three channels: the first n of its inputs; null: all."
    )
    colormap: Colormap = Field(default="gray", description="Of everything but kernels that read three channels, which are RGB.")
    columns: int | None = Field(default=None, ge=1, le=256, description="Tiles in a row; null: about as many as rows.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Weights:
        description = model.description
        layer = _default(description) if self.layer is None else description.layer_at(self.layer)
        if layer.kind is LayerKind.MODEL:
            inner = [each.path for each in description.layers if each.path.startswith(f"{layer.path}/") and each.parameters]
            raise UnsuitableLayer(
                f"'{layer.path}' is a whole model: name one of its layers with weights: {_some(inner)}.",
                pointer="/params/layer",
                got=layer.path,
                nearest=inner[:3],
            )
        if not layer.parameters:
            near = [each.path for each in _weighted(description)]
            raise UnsuitableLayer(
                f"Layer '{layer.path}' ({layer.type}) has no weights. Layers that do: {_some(near)}.",
                pointer="/params/layer",
                got=layer.path,
                nearest=near[:3],
            )
        if layer.parameters > limits.max_layer_weights:
            raise LimitExceeded(
                f"Layer '{layer.path}' has {layer.parameters:,} weights; at most {limits.max_layer_weights:,} are shown.",
                pointer="/params/layer",
                allowed=f"at most {limits.max_layer_weights} weights",
                got=str(layer.parameters),
            )
        self._check_filters(layer)
        return self.changed(layer=layer.path)

    def _check_filters(self, layer: Layer) -> None:
        wanted = self.filters if isinstance(self.filters, tuple) else ()
        if layer.kind is LayerKind.CONV and layer.channels is not None and (wrong := [each for each in wanted if each >= layer.channels]):
            raise UnknownChannel(
                f"Layer '{layer.path}' has {layer.channels} filters: indices are 0 to {layer.channels - 1}, got {wrong[0]}.",
                pointer="/params/filters",
                allowed=f"0 to {layer.channels - 1}",
                got=str(wrong[0]),
            )


def _weighted(description: ModelDescription) -> list[Layer]:
    return [layer for layer in description.layers if layer.parameters and layer.kind is not LayerKind.MODEL]


def _default(description: ModelDescription) -> Layer:
    """The first convolution with weights, failing that the first layer with weights."""
    weighted = _weighted(description)
    if not weighted:
        raise UnsuitableLayer(f"Model '{description.name}' has no layer with weights.", pointer="/model", got=description.name)
    return next((layer for layer in weighted if layer.kind is LayerKind.CONV), weighted[0])


def _some(paths: list[str]) -> str:
    return ", ".join(paths[:5]) + (", …" if len(paths) > 5 else "") if paths else "none"
