"""The parameters, facts and artifacts that all class activation maps (CAMs) share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator

from schemas.errors import InvalidParameters, LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.annotate import AnnotateParams
from schemas.methods.card import ArtifactSpec
from schemas.methods.colormap import Colormap
from schemas.methods.frames import ANIMATION, AnimatedFacts, FramesParams
from schemas.methods.heat import HEAT_ALPHA, HEAT_COLORMAP, HEAT_PICTURES
from schemas.methods.image_input import ExplainedInputParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_class import OutputParams, TargetClassParams, class_output
from schemas.methods.target_layer import cam_layer, default_layer, explained_layer
from schemas.methods.targets import ActivationTarget, ElementTarget, RegionTarget, target_name
from schemas.models import LayerPath, ModelDescription, PublishedModel

Fusing = Literal["mean", "max", "product"]
AUGMENTED = 6
"""With `augment`, the maps of this many variants of the input are averaged."""
LAYERS = Field(min_length=1, max_length=16)

CAM_ARTIFACTS = (
    *HEAT_PICTURES,
    ArtifactSpec(
        "map",
        "array",
        "This is the unscaled map (h, w) float32 at the layer's resolution, or (n, h, w) for a list of n classes. For several layers, it "
        "is their fused map at the finest layer's resolution.",
    ),
    ArtifactSpec("map.{layer}", "array", "If several layers were asked for, this is the map of each. '/' in a path becomes '.'."),
)
FRAMES_CAM_ARTIFACTS = (*CAM_ARTIFACTS, ANIMATION)
"""The artifacts of a class activation map that can explain each frame of an animation."""


class CamFacts(AnimatedFacts):
    """The layers and the classes of a class activation map. Without a list, `layers` and `classes` have one entry."""

    layer: str = Field(description="This is the path of the first target layer.")
    layers: tuple[str, ...] = Field(description="These are the paths of all target layers.")


class CamParams(OutputParams, PrecisionParams, AnnotateParams, ExplainedInputParams):
    """Parameters of every class activation map."""

    layer: LayerPath | Annotated[tuple[LayerPath, ...], LAYERS] | None = Field(
        default=None,
        description=(
            "This is the path of the target layer, or a list of paths whose maps are fused. If it is null, the model's default target "
            "layer is used."
        ),
    )
    fuse: Fusing = Field(
        default="mean",
        description=(
            "The maps of several layers are scaled to 0-1 and become one map in this way: their `mean`, the `max` of tanh(2·map) as in "
            "LayerCAM, or their `product` as in RefineCAM."
        ),
    )
    augment: bool = Field(
        default=False,
        description=(
            "If it is true, the map is smoothed: it is the mean of the maps, scaled to 0-1, of the input and its mirror image, each times "
            "1, 0.9 and 1.1."
        ),
    )
    colormap: Colormap = HEAT_COLORMAP
    alpha: float = HEAT_ALPHA

    @field_validator("layer")
    @classmethod
    def _each_layer_once(cls, layer: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        return tuple(dict.fromkeys(layer)) if isinstance(layer, tuple) else layer

    def layer_paths(self) -> tuple[str, ...]:
        """Return the target layers of resolved parameters.

        Raises:
            ValueError: the parameters are not resolved.
        """
        if self.layer is None:
            raise ValueError("the parameters are not resolved: layer is None")
        return self.layer if isinstance(self.layer, tuple) else (self.layer,)

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        class_output(model, self.output)
        return self.with_layers(lambda path: cam_layer(model, path or default_layer(model, self.output), self.output))

    def with_layers(self, checked: Callable[[str | None], str]) -> Self:
        """Return these parameters with the path that `checked` returns in place of each layer. It gets None for the default layer."""
        if isinstance(self.layer, tuple):
            return self.changed(layer=tuple(dict.fromkeys(checked(path) for path in self.layer)))
        return self.changed(layer=checked(self.layer))


class TargetCamParams(TargetClassParams, CamParams):
    """Parameters of a class activation map that explains a class or another target."""

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = self.resolve_target(model, limits)
        target = resolved.other_target
        if target is None:
            return super(TargetCamParams, resolved).resolve(model, limits)
        if self.augment and isinstance(target, RegionTarget | ElementTarget | ActivationTarget):
            raise InvalidParameters(
                f"augment mirrors the photo, but a target '{target_name(target)}' has a fixed place in it. Leave augment out.",
                pointer="/params/augment",
                allowed="false",
                got="true",
            )
        return resolved.with_layers(lambda path: explained_layer(model, path, target, self.output))


class ClassCamParams(TargetCamParams):
    """Parameters of a class activation map that weighs the channels of a layer for a class or another target."""

    eigen_smooth: bool = Field(
        default=False,
        description=(
            "If it is true, the map is the first principal component of the weighted activations in place of their sum. This gives less "
            "noise."
        ),
    )


class ChannelCamParams(FramesParams, ClassCamParams):
    """Parameters of a class activation map that tries each channel of a layer on the model."""

    max_channels: int | None = Field(
        default=None,
        ge=1,
        description=(
            "This many channels of each layer are tried, those whose values vary most; the others have the weight 0. If it is null, all "
            "channels are tried. The job's time grows in proportion."
        ),
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = super().resolve(model, limits)
        if (tries := resolved.tries(model.description) * self.frame_count) > limits.max_masks:
            raise LimitExceeded(
                f"One job tries at most {limits.max_masks:,} channels, got {tries:,}. Give max_channels, fewer layers or frames, or no "
                "augment.",
                pointer="/params/max_channels",
                allowed=f"at most {limits.max_masks}",
                got=str(tries),
            )
        return resolved

    def tries(self, model: ModelDescription) -> int:
        """Return how many channels these resolved parameters try at most, over all layers and variants of the input."""
        return sum(self.tries_at(path, model) for path in self.layer_paths()) * (AUGMENTED if self.augment else 1)

    def tries_at(self, path: str, model: ModelDescription) -> int:
        """Return how many channels of the layer at `path` are tried at most."""
        channels = model.layer_at(path).channels or 1
        return min(channels, self.max_channels or channels)
