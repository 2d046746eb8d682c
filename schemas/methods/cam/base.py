"""What all class activation maps ask for and tell: layers, fusing, smoothing, colours."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec
from schemas.methods.colormap import Colormap
from schemas.methods.facts import Facts, Prediction
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_class import OutputParams, TargetClassParams, class_output
from schemas.methods.target_layer import cam_layer, default_layer
from schemas.models import LayerPath, ModelDescription, PublishedModel

Fusing = Literal["mean", "max"]
AUGMENTED = 6  # inputs whose maps are averaged with `augment`
LAYERS = Field(min_length=1, max_length=16)

CAM_ARTIFACTS = (
    ArtifactSpec("overlay", "image", "Heatmap on the photo, at its own size; several classes: a tile each, named.", primary=True),
    ArtifactSpec("heatmap", "image", "Heatmap alone, at the photo's own size; black where the model did not look (`fit` crop)."),
    ArtifactSpec(
        "map",
        "array",
        "Unscaled map (h, w) float32 at the layer's resolution; (n, h, w) for a list of n classes. Several layers: their fused map, "
        "at the finest layer's resolution.",
    ),
    ArtifactSpec("map.{layer}", "array", "Where several layers were asked for: each one's own map ('/' in a path becomes '.')."),
)


class CamFacts(Facts):
    """The class explained, with its score, and the layer; `classes` and `layers` have all of them where several were asked for."""

    layer: str
    layers: tuple[str, ...]
    class_index: int
    label: str | None
    logit: float
    probability: float
    classes: tuple[Prediction, ...]


class CamParams(OutputParams, PrecisionParams):
    """Parameters of every class activation map."""

    layer: LayerPath | Annotated[tuple[LayerPath, ...], LAYERS] | None = Field(
        default=None, description="Target layer, or a list whose maps are fused; null: the model's default."
    )
    fuse: Fusing = Field(
        default="mean",
        description="How the maps of several layers become one, each scaled to 0-1: `mean`, or `max` of tanh(2·map) as LayerCAM does.",
    )
    augment: bool = Field(
        default=False,
        description="Smooth by augmentation: the mean of the scaled maps of the input and its mirror image, each times 1, 0.9 and 1.1.",
    )
    colormap: Colormap = Field(default="jet", description="Colours of the heatmap.")
    alpha: float = Field(default=0.4, ge=0, le=1, description="Weight of the heatmap in the overlay.")

    @field_validator("layer")
    @classmethod
    def _each_layer_once(cls, layer: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        return tuple(dict.fromkeys(layer)) if isinstance(layer, tuple) else layer

    def layer_paths(self) -> tuple[str, ...]:
        """Of resolved parameters: the target layers.

        Raises:
            ValueError: the parameters are not resolved.
        """
        if self.layer is None:
            raise ValueError("the parameters are not resolved: layer is None")
        return self.layer if isinstance(self.layer, tuple) else (self.layer,)

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        class_output(model, self.output)
        paths = (self.layer or default_layer(model, self.output),) if not isinstance(self.layer, tuple) else self.layer
        checked = tuple(cam_layer(model, path, self.output) for path in paths)
        return self.changed(layer=checked if isinstance(self.layer, tuple) else checked[0])


class ClassCamParams(TargetClassParams, CamParams):
    """Parameters of a class activation map that weights channels by a class's score."""

    eigen_smooth: bool = Field(
        default=False, description="Draw the first principal component of the weighted activations instead of their sum: less noise."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        return super().resolve(model, limits).changed(class_index=self.resolve_classes(model, limits))


class ChannelCamParams(ClassCamParams):
    """Parameters of a class activation map that tries each channel of a layer on the model."""

    max_channels: int | None = Field(
        default=None,
        ge=1,
        description="Channels tried at each layer, those that vary most; the others weigh 0. null: all. Time goes with it.",
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = super().resolve(model, limits)
        if (tries := resolved.tries(model.description)) > limits.max_masks:
            raise LimitExceeded(
                f"One job tries at most {limits.max_masks:,} channels, got {tries:,}: give max_channels, fewer layers, or no augment.",
                pointer="/params/max_channels",
                allowed=f"at most {limits.max_masks}",
                got=str(tries),
            )
        return resolved

    def tries(self, model: ModelDescription) -> int:
        """Of resolved parameters: how many channels are tried at most, of all layers and augmented inputs."""
        return sum(self.tries_at(path, model) for path in self.layer_paths()) * (AUGMENTED if self.augment else 1)

    def tries_at(self, path: str, model: ModelDescription) -> int:
        """How many channels of one layer are tried at most."""
        channels = model.layer_at(path).channels or 1
        return min(channels, self.max_channels or channels)
