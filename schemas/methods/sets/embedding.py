"""The parameters and facts of `embedding`: a map of a set of photos, by the activations of a layer."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.sets.photo_features import PhotoFeaturesParams
from schemas.models import PublishedModel

LEAST_PHOTOS = 3
AXES = 2  # axes of the plot


class EmbeddedPhoto(Facts):
    """One photo, and its place in the plot."""

    image: str = Field(description="This is the id of the image.")
    number: int = Field(description="This is the image's place in `images`, counted from 0.")
    position: tuple[float, float] = Field(description="These are its coordinates on the first two principal components.")


class EmbeddingFacts(Facts):
    """The layer, how much of the variance each component explains, and the place of each photo."""

    layer: str = Field(description="This is the path of the layer.")
    dimensions: int = Field(description="This is the length of the vector that each photo has become.")
    explained_variance: tuple[float, ...] = Field(
        description="This is the share of the variance (0-1) that each component explains, the largest first."
    )
    photos: tuple[EmbeddedPhoto, ...] = Field(description="These are the photos in the order of `images`.")


class Embedding(PhotoFeaturesParams):
    """The photos of a set as points on the first principal components of their activations at a layer."""

    card: ClassVar[MethodCard] = MethodCard(
        name="embedding",
        title="Embedding of a set",
        summary=(
            "This draws a set of photos as thumbnails on a plane: photos whose activations at a layer are alike lie near each other. The "
            "axes are the first two principal components, and say how much of the variance they explain."
        ),
        reference="Pearson, On Lines and Planes of Closest Fit to Systems of Points in Space, 1901 (principal component analysis)",
        formula="X − mean(X) = U·S·Vᵀ; the coordinates are the columns of U·S; component i explains S_i² / Σ S²",
        cost="One forward pass up to the layer for each photo, in batches.",
        how_to_read=(
            "Groups of thumbnails are photos that the layer sees alike. Ask what the photos at the two ends of an axis differ in: this is "
            "what the component measures. The farther the layer is from the input, the more the groups follow the classes."
        ),
        when_it_misleads=(
            "Only what the axes explain is shown: if they explain little, photos that are far apart in the layer can lie side by side. "
            "The axes depend on the set, so plots of two sets cannot be compared. The direction of an axis has no meaning."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("plot", "image", "This shows the photos as thumbnails at their places, with the axes.", primary=True),
            ArtifactSpec("coordinates", "array", "These are the coordinates (images, components) float32."),
            ArtifactSpec("features", "array", "These are the vectors of the photos (images, d) float32, before anything is subtracted."),
        ),
        facts=EmbeddingFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "layer": None},
    )

    components: int = Field(
        default=10, ge=AXES, le=64, description="The array has this many components, or fewer if there are not so many. The plot has two."
    )
    thumbnail: int = Field(default=56, ge=16, le=160, description="The longer side of a thumbnail has this many pixels.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Embedding:
        if len(self.images) < LEAST_PHOTOS:
            raise InvalidParameters(
                f"A plane is laid through at least {LEAST_PHOTOS} photos, got {len(self.images)}.",
                pointer="/params/images",
                allowed=f"at least {LEAST_PHOTOS}",
                got=str(len(self.images)),
            )
        return super().resolve(model, limits)
