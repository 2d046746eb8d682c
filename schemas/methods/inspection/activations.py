"""`activations`: what a layer answers to an image."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.errors import InvalidParameters, LimitExceeded, UnknownChannel, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.colormap import Colormap
from schemas.methods.facts import Facts
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_layer import default_layer
from schemas.models import LayerKind, LayerPath, PublishedModel

# Channels whose statistics are given for each layer where several were asked for.
RANKED_OF_SEVERAL = 64


class ChannelStatistics(Facts):
    """One channel of one layer, over all its positions."""

    channel: int
    mean: float
    max: float
    sparsity: float = Field(ge=0, le=1, description="Share of values that are exactly 0.")
    dead: bool = Field(description="Every value is 0, or the same (where a channel has one position: 0).")


class LayerStatistics(Facts):
    layer: str
    shape: tuple[int, ...] = Field(description="(h, w, K), or (K,) for a dense layer.")
    mean: float
    max: float
    sparsity: float
    dead_channels: tuple[int, ...]
    channels: tuple[ChannelStatistics, ...] = Field(
        description=f"In order of rank: highest mean first; the first {RANKED_OF_SEVERAL} of each where several layers were asked for."
    )


class ActivationsFacts(Facts):
    layers: tuple[LayerStatistics, ...]


class Activations(PrecisionParams):
    """The output of one layer, several, or all of a kind: array, channel grid, statistics, ranking."""

    card: ClassVar[MethodCard] = MethodCard(
        name="activations",
        title="Activations",
        summary="A layer's output for the photo: every channel in a grid, the array, statistics and a ranking of the channels.",
        reference="Chollet, Deep Learning with Python, 5.4.1; Caffe notebook 'Instant Recognition'",
        needs_image=True,
        lane="fast",
        artifacts=(
            ArtifactSpec("grid", "image", "Channels tiled, titled by layer; several layers stand under one another.", primary=True),
            ArtifactSpec("grid.{layer}", "image", "Where several layers were asked for: the grid of each ('/' in a path becomes '.')."),
            ArtifactSpec("activations", "array", "(h, w, K) float32, or (K,) for a dense layer; one layer asked for."),
            ArtifactSpec("activations.{layer}", "array", "Where several layers were asked for: the array of each."),
        ),
        facts=ActivationsFacts,
        example={"layer": None, "scaling": "per_channel"},
    )

    layer: LayerPath | Annotated[tuple[LayerPath, ...], Field(min_length=1)] | None = Field(
        default=None, description="A layer, or a list; null: all of `kind`, or else the model's default layer."
    )
    kind: LayerKind | None = Field(default=None, description="All layers of this kind, in the model's order; not together with `layer`.")
    channels: Annotated[int, Field(ge=1)] | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] | None = Field(
        default=None,
        description=(
            "Drawn channels: the first n in `order` (all where a layer has fewer), or a list of indices; null: all. "
            "The array always holds all, and a dense layer is always drawn whole."
        ),
    )
    order: Literal["index", "mean", "max"] = Field(
        default="index", description="Order of the drawn channels: as they are numbered or listed, or strongest first."
    )
    scaling: Literal["per_channel", "global"] = Field(
        default="per_channel", description="`per_channel`: the book's (x − μ)/σ·64 + 128, clipped; `global`: min-max over the layer."
    )
    colormap: Colormap = Field(default="viridis")
    columns: int | None = Field(default=None, ge=1, le=256, description="Tiles in a row; null: about as many as rows.")

    @model_validator(mode="after")
    def _layer_or_kind(self) -> Activations:
        if self.layer is not None and self.kind is not None:
            raise ValueError("give either layer or kind, not both")
        return self

    def layer_paths(self) -> tuple[str, ...]:
        """The layers, once resolved."""
        return self.layer if isinstance(self.layer, tuple) else (self.layer or "",)

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Activations:
        description = model.description
        if self.kind is not None:
            paths = tuple(layer.path for layer in description.layers if layer.kind == self.kind)
            if not paths:
                kinds = ", ".join(sorted({layer.kind.value for layer in description.layers}))
                raise InvalidParameters(
                    f"Model '{description.name}' has no layer of kind '{self.kind}'. It has: {kinds}.",
                    pointer="/params/kind",
                    allowed=kinds,
                    got=self.kind.value,
                )
        elif self.layer is None:
            paths = (default_layer(model),)
        else:
            paths = self.layer_paths()
        if len(paths) > limits.max_layers:
            raise LimitExceeded(
                f"One job returns at most {limits.max_layers} layers, got {len(paths)}.",
                pointer="/params/kind" if self.kind else "/params/layer",
                allowed=f"at most {limits.max_layers}",
                got=str(len(paths)),
            )
        for path in dict.fromkeys(paths):
            layer = description.layer_at(path)
            if not layer.output_shape:
                raise UnsuitableLayer(
                    f"Layer '{path}' ({layer.type}) gives one number an image: there is nothing to draw.", pointer="/params/layer", got=path
                )
            wanted = self.channels if isinstance(self.channels, tuple) else ()
            if layer.channels is not None and (wrong := [index for index in wanted if index >= layer.channels]):
                raise UnknownChannel(
                    f"Layer '{path}' has {layer.channels} channels: indices are 0 to {layer.channels - 1}, got {wrong[0]}.",
                    pointer="/params/channels",
                    allowed=f"0 to {layer.channels - 1}",
                    got=str(wrong[0]),
                )
        single = self.kind is None and not isinstance(self.layer, tuple)
        return self.changed(layer=paths[0] if single else tuple(dict.fromkeys(paths)), kind=None)
