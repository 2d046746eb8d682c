"""The parameters and facts of `nearest`: the photos of a set that a layer finds most alike a photo."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.photo_names import PhotoNamesParams
from schemas.methods.sets.photo_features import PhotoFeaturesParams
from schemas.models import PublishedModel

Metric = Literal["cosine", "euclidean"]


class Neighbour(Facts):
    """One photo of the set, and how far it lies from the query."""

    image: str = Field(description="This is the id of the image.")
    number: int = Field(description="This is the image's place in `images`, counted from 0.")
    distance: float = Field(description="This is its distance from the query, 0 or more. The cosine distance is 1 − cosine, 0 to 2.")


class NearestFacts(Facts):
    """The nearest photos, the layer, and the metric."""

    layer: str = Field(description="This is the path of the layer.")
    metric: Metric = Field(description="This is the metric of the distances.")
    dimensions: int = Field(description="This is the length of the vector that each photo has become.")
    neighbours: tuple[Neighbour, ...] = Field(description="These are the nearest photos, the nearest first.")
    median_distance: float = Field(description="This is the median distance of all photos of the set, to compare the distances with.")


class Nearest(PhotoNamesParams, PhotoFeaturesParams):
    """The photos of a set whose activations at a layer lie nearest to those of a query photo."""

    card: ClassVar[MethodCard] = MethodCard(
        name="nearest",
        title="Nearest photos",
        summary=(
            "This finds the photos of a set that a layer cannot tell well from the photo of the request: those whose activations lie "
            "nearest to its own, with their distances."
        ),
        reference="Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012, figure 4",
        formula="1 − a·b / (|a|·|b|) (cosine) or |a − b| (euclidean), where a and b are the pooled activations of two photos",
        cost="One forward pass up to the layer for each photo, in batches.",
        how_to_read=(
            "The photos are alike in what the layer has learnt to see: in early layers colours and textures, in late layers objects. "
            "Compare the distances with the median of the set: near it, a photo is no more alike than any other."
        ),
        when_it_misleads=(
            "There always is a nearest photo, even if none is alike. With `pool` mean, the place and number of things is lost. The "
            "Euclidean distance grows with the strength of the activations, and the cosine does not."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec("sheet", "image", "This shows the query and the nearest photos, each with its distance.", primary=True),
            ArtifactSpec("distances", "array", "These are the distances of all photos of the set, (images,) float32, in their order."),
            ArtifactSpec("query", "array", "This is the vector of the query (d,) float32."),
        ),
        facts=NearestFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "layer": None, "count": 2},
    )

    metric: Metric = Field(default="cosine", description="This is how the distance of two photos is measured.")
    count: int = Field(default=9, ge=1, le=64, description="This many photos are shown, or all if the set has fewer.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Nearest:
        resolved = super().resolve(model, limits)
        return resolved.changed(count=min(self.count, len(self.images)))
