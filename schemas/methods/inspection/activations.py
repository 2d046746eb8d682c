"""The parameters and facts of `activations`: a layer's output for a photo."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.errors import InvalidParameters, LimitExceeded, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.channels import check_channels
from schemas.methods.colormap import Colormap
from schemas.methods.facts import Facts
from schemas.methods.image_input import ExplainedInputParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_layer import default_layer
from schemas.models import Layer, LayerKind, LayerPath, PublishedModel

# If several layers are asked for, the facts hold the statistics of this many channels for each layer.
RANKED_OF_SEVERAL = 64


ChannelScaling = Literal["from_zero", "per_channel", "global"]


class ChannelStatistics(Facts):
    """The statistics of one channel, over all positions of its map. Values that are not finite count as 0."""

    channel: int = Field(description="This is the index of the channel, counted from 0.")
    mean: float = Field(description="This is the mean activation.")
    max: float = Field(description="This is the largest activation.")
    sparsity: float = Field(ge=0, le=1, description="This is the share of values that are exactly 0, 0-1.")
    dead: bool = Field(
        description="This is true if all values are the same. If the channel has only one position, it is true if the value is 0."
    )


class LayerStatistics(Facts):
    layer: str = Field(description="This is the path of the layer.")
    shape: tuple[int, ...] = Field(description="This is the shape of the activation: (h, w, K), or (K,) for a dense layer.")
    mean: float = Field(description="This is the mean activation of all channels.")
    max: float = Field(description="This is the largest activation of all channels.")
    sparsity: float = Field(description="This is the share of values that are exactly 0, 0-1.")
    dead_channels: tuple[int, ...] = Field(description="These are the indices of the dead channels.")
    channels: tuple[ChannelStatistics, ...] = Field(
        description="These are the channels, the one with the highest mean first. If several layers were asked for, they are the first "
        f"{RANKED_OF_SEVERAL} of each layer."
    )


class ActivationsFacts(Facts):
    layers: tuple[LayerStatistics, ...] = Field(description="These are the layers in the order asked for.")


class Activations(PrecisionParams, ExplainedInputParams):
    """The output of one layer, of several layers, or of all layers of a kind, as arrays and as grids of channels."""

    card: ClassVar[MethodCard] = MethodCard(
        name="activations",
        title="Activations",
        summary="This method shows a layer's output for the photo: every channel in a grid, the array, and a ranking of the channels.",
        reference="Chollet, Deep Learning with Python, 5.4.1; Caffe notebook 'Instant Recognition'",
        formula="A, the output of the layer for the photo",
        cost="One forward pass up to the layer.",
        how_to_read=(
            "Each tile is one channel over the whole photo: bright where its pattern is. Early layers keep edges and colours, later "
            "layers parts and objects at a coarser grid. The ranking says which channels respond most."
        ),
        when_it_misleads=(
            "With `from_zero` and `per_channel` scaling, each tile is stretched by itself, so a channel that hardly responds looks as "
            "strong as any other: read the statistics, or ask for `global` scaling."
        ),
        needs_image=True,
        lane="fast",
        artifacts=(
            ArtifactSpec(
                "grid",
                "image",
                "This shows the channels as tiles under the layer's name; several layers stand under one another.",
                primary=True,
            ),
            ArtifactSpec(
                "grid.{layer}", "image", "This is the grid of one layer, if several were asked for. Each '/' in the path becomes '.'."
            ),
            ArtifactSpec(
                "activations", "array", "This is the activation, (h, w, K) float32, or (K,) for a dense layer, if one layer was asked for."
            ),
            ArtifactSpec("activations.{layer}", "array", "This is the activation of one layer, if several were asked for."),
        ),
        facts=ActivationsFacts,
        example={"layer": None},
    )

    layer: LayerPath | Annotated[tuple[LayerPath, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="This is the path of a layer, or a list of paths. If it is null, all layers of `kind` are used, or the model's default "
        "target layer if `kind` is null too.",
    )
    kind: LayerKind | None = Field(
        default=None,
        description="All layers of this kind are used, in the model's order. It may not be given together with `layer`. If it is null, "
        "`layer` decides.",
    )
    channels: Annotated[int, Field(ge=1)] | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] | None = Field(
        default=None,
        description=(
            "These are the channels to draw: a number n for the first n in `order` (or all, if the layer has fewer), or a list of indices. "
            "If it is null, all are drawn. The array always holds all channels, and a dense layer is always drawn whole."
        ),
    )
    order: Literal["index", "mean", "max"] = Field(
        default="index",
        description="This is the order of the drawn channels: by index or as listed (`index`), or the highest mean or maximum first.",
    )
    scaling: ChannelScaling | None = Field(
        default=None,
        description=(
            "`from_zero` draws 0 in the lowest colour and each channel's largest value in the highest one. `per_channel` scales each "
            "channel to (x − μ)/σ·64 + 128, clipped to 0-255, as the book does. With both, a channel whose values are all equal is grey. "
            "`global` scales the layer's minimum to 0 and its maximum to 255, so that channels can be compared. If it is null, it is "
            "`from_zero` for a layer without a value below 0, such as a ReLU, and `per_channel` for others or if `annotate` is false."
        ),
    )
    colormap: Colormap = Field(default="viridis", description="This is the colormap of the tiles.")
    annotate: bool = Field(
        default=True,
        description=(
            "If it is true, the picture has a title with the method, the model and the layer, each tile of 40 pixels or more carries the "
            "number of its channel, and a line below the tiles says what their colours mean. If it is false, the tiles are bare."
        ),
    )
    columns: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="This is the number of tiles in a row. If it is null, there are about as many columns as rows.",
    )

    @model_validator(mode="after")
    def _layer_or_kind(self) -> Activations:
        if self.layer is not None and self.kind is not None:
            raise ValueError("give either layer or kind, but not both")
        return self

    def layer_paths(self) -> tuple[str, ...]:
        """Return the paths of the layers. The parameters must be resolved."""
        return self.layer if isinstance(self.layer, tuple) else (self.layer or "",)

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Activations:
        paths = self._paths(model)
        if len(paths) > limits.max_layers:
            raise LimitExceeded(
                f"One job returns at most {limits.max_layers} layers, but got {len(paths)}.",
                pointer="/params/kind" if self.kind else "/params/layer",
                allowed=f"at most {limits.max_layers}",
                got=str(len(paths)),
            )
        layers = [model.description.layer_at(path) for path in dict.fromkeys(paths)]
        for layer in layers:
            self._check_layer(layer)
        paths = tuple(dict.fromkeys(layer.path for layer in layers))
        single = self.kind is None and not isinstance(self.layer, tuple)
        return self.changed(layer=paths[0] if single else paths, kind=None)

    def _paths(self, model: PublishedModel) -> tuple[str, ...]:
        if self.kind is None:
            return (default_layer(model),) if self.layer is None else self.layer_paths()
        description = model.description
        paths = tuple(layer.path for layer in description.layers if layer.kind == self.kind)
        if not paths:
            kinds = ", ".join(sorted({layer.kind.value for layer in description.layers}))
            raise InvalidParameters(
                f"Model '{description.name}' has no layer of kind '{self.kind}'. It has layers of these kinds: {kinds}.",
                pointer="/params/kind",
                allowed=kinds,
                got=self.kind.value,
            )
        return paths

    def _check_layer(self, layer: Layer) -> None:
        if not layer.output_shape:
            raise UnsuitableLayer(
                f"Layer '{layer.path}' ({layer.type}) has one number for each image as its output, so there is nothing to draw.",
                pointer="/params/layer",
                got=layer.path,
            )
        if layer.channels is not None and isinstance(self.channels, tuple):
            check_channels(layer, self.channels, "/params/channels")
