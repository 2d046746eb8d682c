"""The parameters of methods that compare photos by the activations of a layer."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from schemas.errors import UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.precision import PrecisionParams
from schemas.methods.several_images import ImagesParams
from schemas.methods.target_layer import default_layer
from schemas.models import Layer, LayerPath, PublishedModel

FeaturePooling = Literal["mean", "max", "none"]


class PhotoFeaturesParams(PrecisionParams, ImagesParams):
    """Parameters of a method that takes one vector for each photo from a layer."""

    layer: LayerPath | None = Field(
        default=None, description="This is the path of the layer. If it is null, the model's default target layer is used."
    )
    pool: FeaturePooling = Field(
        default="mean",
        description=(
            "Each photo becomes one vector: the `mean` or the `max` of each channel over the layer's positions, so that it does not matter "
            "where in the photo something is, or with `none` all values of the layer. A layer without positions is taken as it is."
        ),
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        self.check_count(limits)
        path = self.layer or default_layer(model)
        layer = model.description.layer_at(path)
        if layer.channels is None:
            raise UnsuitableLayer(
                f"Layer '{path}' ({layer.type}, output {layer.output_shape}) has no channels, so it gives no vector for a photo. Name a "
                "layer whose output has a last axis of a fixed length.",
                pointer="/params/layer",
                got=path,
            )
        if self.pool == "none" and _varies(layer):
            raise UnsuitableLayer(
                f"The size of layer '{path}' depends on the photo (output {layer.output_shape}), so photos can only be compared with pool "
                "'mean' or 'max'.",
                pointer="/params/pool",
                allowed="mean, max",
                got="none",
            )
        return self.changed(layer=layer.path)


def _varies(layer: Layer) -> bool:
    return any(size is None for size in layer.output_shape)
