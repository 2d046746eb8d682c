"""The parameters and facts of `feature_inversion`: images made from a layer's activations for a photo alone."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.errors import UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.annotate import TitleParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.precision import PrecisionParams
from schemas.methods.synthesis.check_limit import check_limit
from schemas.methods.synthesis.drawn_channels import check_drawn_channels
from schemas.methods.synthesis.layers_by_map_size import layers_by_map_size
from schemas.methods.synthesis.photo_size import PhotoSizeParams
from schemas.models import LayerKind, LayerPath, ModelDescription, PublishedModel

INVERTED_KINDS = (LayerKind.MERGE, LayerKind.ACTIVATION, LayerKind.CONV, LayerKind.NORMALIZATION)


class Inversion(Facts):
    """The inversion of one layer. A is the layer's activation for the synthesised picture, and F that for the photo."""

    layer: LayerPath = Field(description="This is the path of the layer.")
    objective: float = Field(
        description="This is the objective at the last step, without the penalty. It is 0 if the layer was not inverted, because F is 0 "
        "everywhere."
    )
    error: float | None = Field(
        description="This is the relative distance ‖A − F‖ / ‖F‖, where F is the layer's activation for the photo and A that for the "
        "picture. It is null if F is 0 everywhere."
    )
    cosine: float | None = Field(
        description="This is the cosine of the angle between A and F, -1 to 1. It is null if one of them is 0 everywhere."
    )


class FeatureInversionFacts(Facts):
    layers: tuple[Inversion, ...] = Field(description="These are the layers in the order asked for.")


class FeatureInversion(TitleParams, PrecisionParams, PhotoSizeParams):
    """Images for which a layer has the same activation as for the photo: one for each layer."""

    card: ClassVar[MethodCard] = MethodCard(
        name="feature_inversion",
        title="Feature inversion",
        summary="This method makes images from a layer's activation alone. They show what each layer still knows of the photo.",
        reference="Mahendran & Vedaldi, arXiv:1412.0035; Olah et al., Feature Visualization, Distill 2017",
        formula="x* = argmin_x |A(x) − A(photo)|² / |A(photo)|² plus a regulariser",
        cost="One forward and one backward pass for each step, for each layer.",
        how_to_read=(
            "What is still there, the layer still knows: early layers keep nearly the whole photo, late layers only the kinds of things "
            "and roughly where they were."
        ),
        when_it_misleads=(
            "What is missing may also be missing because the ascent did not converge: read the residual above each image, which is 0 where "
            "the layer cannot tell the image from the photo, and 1 where nothing is reached. Behind a last ReLU it often stays near 1."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec(
                "sheet", "image", "This shows the photo as the model gets it, then each layer's image under its name.", primary=True
            ),
            ArtifactSpec(
                "inversion.{layer}",
                "image",
                "This is a layer's image at the photo's size in the model. Each '/' in the path becomes '.'.",
            ),
            ArtifactSpec("images", "array", "These are all images, (layers, height, width, channels) float32, RGB or grey in 0-1."),
            ArtifactSpec("curves", "array", "This is each layer's objective at every step, (layers, steps) float32."),
        ),
        facts=FeatureInversionFacts,
        example={"steps": 32},
    )

    layer: LayerPath | Annotated[tuple[LayerPath, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="This is the path of one layer, or a list of paths. If it is null, the last layer of each size of map is used, from "
        "the largest map to the smallest.",
    )
    objective: Literal["l2", "dot_cosine"] = Field(
        default="l2",
        description="`l2` minimises the distance of the two activations, relative to the length of the photo's. `dot_cosine` "
        "maximises their dot product times the cosine of their angle; it exaggerates what the layer sees (a caricature) and suits the "
        "deepest layers.",
    )
    steps: int = Field(default=192, ge=1, description="This is the number of steps of gradient ascent for each layer.")
    optimizer: Literal["lbfgs", "adam"] | None = Field(
        default=None,
        description="`lbfgs` (Liu and Nocedal, 1989) learns the curvature of the objective and needs far fewer steps. `adam` also follows "
        "objectives without an upper end. If it is null, `l2` is followed by `lbfgs`, and `dot_cosine` by `adam`.",
    )
    learning_rate: float = Field(
        default=0.05,
        gt=0,
        le=10,
        description="This is the learning rate of Adam, or the root mean square of the first step of L-BFGS, in units of the spectrum that "
        "ascent changes.",
    )
    total_variation: float = Field(
        default=0.05,
        ge=0,
        le=1000,
        description="This is the weight of the mean difference between neighbouring pixels; the distance from black to white is 2. If it "
        "is 0, there is no penalty.",
    )
    columns: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="This is the number of tiles in a row of the sheet. If it is null, there are about as many columns as rows.",
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="This is the seed of the start. The same seed gives the same images.")

    def layers(self) -> tuple[str, ...]:
        """Return the paths of the layers asked for. The tuple is empty if the default layers are meant."""
        if self.layer is None:
            return ()
        return self.layer if isinstance(self.layer, tuple) else (self.layer,)

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> FeatureInversion:
        check_drawn_channels(model)
        description = model.description
        paths = tuple(dict.fromkeys(description.layer_at(path).path for path in self.layers() or default_layers(description)))
        height, width = self.input_sides(model)
        work = height * width * self.steps * len(paths)
        check_limit("number of layers", len(paths), limits.max_layers, "/params/layer")
        named, pointer = ("side of the model's input", "/model") if self.size is None else ("size", "/params/size")
        check_limit(named, max(height, width), limits.max_synthesis_size, pointer)
        check_limit("number of steps", self.steps, limits.max_steps, "/params/steps")
        check_limit("product height × width × steps × layers", work, limits.max_synthesis_work, "/params")
        optimizer = self.optimizer or ("lbfgs" if self.objective == "l2" else "adam")
        return self.changed(layer=paths[0] if isinstance(self.layer, str) else paths, optimizer=optimizer)


def default_layers(model: ModelDescription) -> tuple[str, ...]:
    """Return the path of the last layer of each size of map, the largest map first.

    Raises:
        UnsuitableLayer: No layer has a spatial map.
    """
    found = tuple(layers[-1].path for layers in layers_by_map_size(model, INVERTED_KINDS))
    if not found:
        raise UnsuitableLayer(
            f"Model '{model.name}' has no layer with a spatial map, so it has no default layers. Name a layer.", pointer="/params/layer"
        )
    return found
