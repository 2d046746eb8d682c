"""`feature_inversion`: what of a photo a layer still knows, as an image made from that layer's activations alone."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.errors import LimitExceeded, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.precision import PrecisionParams
from schemas.methods.synthesis.map_sizes import layers_by_map
from schemas.models import VARIABLE_LONGEST_SIDE, LayerKind, LayerPath, ModelDescription, PublishedModel

INVERTED_KINDS = (LayerKind.MERGE, LayerKind.ACTIVATION, LayerKind.CONV, LayerKind.NORMALIZATION)


class Inversion(Facts):
    """One layer's."""

    layer: LayerPath
    objective: float = Field(description="Its value at the last step, without the penalty; 0 where it was not inverted.")
    error: float | None = Field(
        description="‖A − F‖ / ‖F‖, F the layer's activations for the photo and A those for the picture; null where F is 0 everywhere."
    )
    cosine: float | None = Field(description="Of the angle between A and F; null where one of them is 0 everywhere.")


class FeatureInversionFacts(Facts):
    layers: tuple[Inversion, ...] = Field(description="In the order asked for.")


class FeatureInversion(PrecisionParams):
    """An image that a layer answers as it answers the photo, for one layer or for several by depth."""

    card: ClassVar[MethodCard] = MethodCard(
        name="feature_inversion",
        title="Feature inversion",
        summary="Images made from a layer's activations alone: what of the photo is still there, layer by layer.",
        reference="Mahendran & Vedaldi, arXiv:1412.0035; Olah et al., Feature Visualization, Distill 2017",
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec("sheet", "image", "The photo as the model gets it, then each layer's image, titled.", primary=True),
            ArtifactSpec("inversion.{layer}", "image", "Each layer's image, of the model's input size ('/' in a path becomes '.')."),
            ArtifactSpec("images", "array", "(layers, height, width, channels) float32, RGB or grey in 0-1."),
            ArtifactSpec("curves", "array", "(layers, steps) float32: each layer's objective at every step."),
        ),
        facts=FeatureInversionFacts,
        example={"steps": 32},
    )

    layer: LayerPath | Annotated[tuple[LayerPath, ...], Field(min_length=1)] | None = Field(
        default=None, description="One layer or several; null: the last of each size of map, from the photo's to the smallest."
    )
    objective: Literal["l2", "dot_cosine"] = Field(
        default="l2",
        description="`l2`: the distance of the activations, over the photo's own length. `dot_cosine`: their product times the cosine "
        "of their angle, which exaggerates what the layer sees (a caricature), and suits the deepest layers.",
    )
    steps: int = Field(default=192, ge=1)
    learning_rate: float = Field(default=0.05, gt=0, le=10, description="Adam's, in units of the spectrum that is moved.")
    total_variation: float = Field(
        default=0.05, ge=0, le=1000, description="Weight of the mean difference of neighbouring pixels, black to white being 2."
    )
    columns: int | None = Field(default=None, ge=1, le=64, description="Tiles in a row of the sheet; null: about as many as rows.")
    seed: int = Field(default=0, ge=0, lt=2**31)

    def layers(self) -> tuple[str, ...]:
        """The layers asked for; empty for the default."""
        if self.layer is None:
            return ()
        return self.layer if isinstance(self.layer, tuple) else (self.layer,)

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> FeatureInversion:
        description = model.description
        paths = tuple(dict.fromkeys(self.layers() or default_layers(description)))
        for path in paths:
            description.layer_at(path)
        sides = (description.input.height or VARIABLE_LONGEST_SIDE, description.input.width or VARIABLE_LONGEST_SIDE)
        for value, limit, name, pointer in (
            (len(paths), limits.max_layers, "layers", "/params/layer"),
            (max(sides), limits.max_synthesis_size, "the model's input size", "/model"),
            (self.steps, limits.max_steps, "steps", "/params/steps"),
            (sides[0] * sides[1] * self.steps * len(paths), limits.max_synthesis_work, "height × width × steps × layers", "/params"),
        ):
            if value > limit:
                raise LimitExceeded(
                    f"{name}: at most {limit:,}, got {value:,}.", pointer=pointer, allowed=f"at most {limit}", got=str(value)
                )
        return self.changed(layer=self.layer if isinstance(self.layer, str) else paths)


def default_layers(model: ModelDescription) -> tuple[str, ...]:
    """The last layer of each size of map, largest first.

    Raises:
        UnsuitableLayer: no layer has a spatial map.
    """
    found = tuple(layers[-1].path for layers in layers_by_map(model, INVERTED_KINDS))
    if not found:
        raise UnsuitableLayer(f"Model '{model.name}' has no layer with a spatial map: name a layer.", pointer="/params/layer")
    return found
