"""The parameters of `refine_cam`: the maps of several layers multiplied."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, ClassCamParams, Fusing
from schemas.methods.cam.finer_layers import finer_layers
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams
from schemas.models import PublishedModel


class RefineCam(FramesParams, ClassCamParams):
    """A map with the meaning of the last layers and the detail of earlier ones: the product of their maps."""

    card: ClassVar[MethodCard] = MethodCard(
        name="refine_cam",
        title="RefineCAM",
        summary=(
            "The maps of several layers, from coarse to fine, are scaled to 0-1 and multiplied. A place is warm only if every layer finds "
            "evidence for the class there, so the map has the detail of the finest layer and keeps the meaning of the last one."
        ),
        reference="Domeniconi et al., How to Evaluate and Refine your CAM, arXiv:2605.14641",
        formula="Π_l map_l / max(map_l), each map enlarged to the finest layer's size; the maps are those of Grad-CAM++ unless told",
        cost="One forward and one backward pass for each layer, from the class down to it; three layers by default.",
        how_to_read=(
            "Warm places are those that all layers agree on: the last layer says that the place matters for the class, and earlier layers "
            "say which edges and textures in it do. The array of each layer's own map shows which layer took a place away."
        ),
        when_it_misleads=(
            "One layer without evidence makes a place cold, whatever all others say, so parts of the object may be missing. Early layers "
            "mark texture that every class shares. If a model has maps of one size only, such as a vision transformer, only the default "
            "layer is used unless `layer` lists more."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )

    base_method: Literal["grad_cam", "grad_cam_plus_plus", "layer_cam", "hires_cam", "xgrad_cam", "element_wise_cam"] = Field(
        default="grad_cam_plus_plus", description="The maps of the layers are those of this method."
    )
    sizes: int = Field(
        default=3,
        ge=1,
        le=8,
        description=(
            "If `layer` is null, the default target layer and the last layers before it with larger maps are used, one for each size of "
            "map, so many in all. A model may have fewer."
        ),
    )
    fuse: Fusing = Field(
        default="product",
        description=(
            "The maps of the layers are scaled to 0-1 and become one map in this way: their `product`, their `mean`, or the `max` of "
            "tanh(2·map) as in LayerCAM."
        ),
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = super().resolve(model, limits)
        if self.layer is not None or isinstance(resolved.layer, tuple) or resolved.layer is None:
            return resolved
        return resolved.changed(layer=(resolved.layer, *finer_layers(model.description, resolved.layer, self.sizes - 1)))
