"""The parameters of `xrai`: the regions of the image that the class depends on most."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, SMOOTH, GradientFacts, MagnitudeParams, check_samples
from schemas.methods.gradients.path import PathBaseline
from schemas.models import ModelDescription, PublishedModel

REFERENCE_SIDE = 224
"""The authors chose their numbers of pixels for inputs of this height and width."""


class XraiFacts(GradientFacts):
    """The classes that are explained, and the numbers of segments and regions."""

    segments: int = Field(description="This is the number of overlapping segments from which the regions were chosen.")
    regions: tuple[int, ...] = Field(description="This is the number of regions in the map of each class.")


class Xrai(MagnitudeParams):
    """Regions of the image, ranked by how much each adds to a class's score for its area."""

    card: ClassVar[MethodCard] = MethodCard(
        name="xrai",
        title="XRAI",
        summary=(
            "The image is divided into segments at six scales, and integrated gradients say how much each pixel adds to the class. "
            "Segments are then taken one by one, always the one that gains most for the area that it adds. Whole objects come out, and "
            "not single pixels."
        ),
        reference=(
            "Kapishnikov et al., XRAI: Better Attributions Through Regions, ICCV 2019, arXiv:1906.02825; segments by Felzenszwalb and "
            "Huttenlocher, Efficient Graph-Based Image Segmentation, IJCV 2004"
        ),
        formula=(
            "Until the image is covered: add the segment s with the largest mean of A over s \\ M to the covered area M, and give its new "
            "pixels this mean. A is the mean of the integrated gradients from the baselines, and of its channels the largest counts"
        ),
        cost="One forward and one backward pass for each step and baseline, 200 unless told, and about half a second for the segments.",
        how_to_read=(
            "The brightest region gains most for its size, and the picture `best` shows the best tenth, fifth and third of the image by "
            "area. The edges are those of colours in the image, so an object that has one colour is shown as a whole."
        ),
        when_it_misleads=(
            "A region is only as good as its segment: an object in the colours of its background is not separated from it. The ranking is "
            "by density, so a large region may add more in all than a small bright one. A dark region may still matter a little."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            *GRADIENT_ARTIFACTS,
            ArtifactSpec(
                "best",
                "image",
                "This is the image with all but its best regions darkened, once for each of `shares`. Each class has a row.",
            ),
            ArtifactSpec(
                "ranks",
                "array",
                "This is the rank of each position's region, 1 for the best, in (H, W) int32, or (n, H, W) for a list of n classes.",
            ),
        ),
        facts=XraiFacts,
        example={"class_index": None, "steps": 20, "scales": [250, 1200]},
    )

    steps: int = Field(
        default=100, ge=1, le=1000, description="This is the number of gradients that are taken along the line from each baseline."
    )
    baselines: tuple[PathBaseline, ...] = Field(
        default=("black", "white"),
        min_length=1,
        max_length=5,
        description=(
            "A line begins at each of these baselines, and the attributions are their mean: `black`, `white`, the `mean` colour of the "
            "image, the image `blurred`, or `random` pixels. With black and white, dark and bright objects are treated alike."
        ),
    )
    rule: Literal["gauss_legendre", "even"] = Field(
        default="gauss_legendre",
        description=(
            "This rule says where on the line the gradients are taken. `even` is that of the authors' code: equal steps and equal weights, "
            "both ends included. The other one adds up better."
        ),
    )
    scales: tuple[Annotated[float, Field(gt=0, le=100_000)], ...] = Field(
        default=(50, 100, 150, 250, 500, 1200),
        min_length=1,
        max_length=12,
        description=(
            "The image is divided once at each of these scales. A larger one makes larger segments. They are meant for 224 × 224 pixels, "
            "to which the image is brought for this."
        ),
    )
    dilation: int | None = Field(
        default=None,
        ge=0,
        le=64,
        description=(
            "Each segment is enlarged by this radius in pixels of the model's input, so that it includes its edge. If it is null, it is 5 "
            "for an input of 224 × 224, and changes in proportion to the shorter side."
        ),
    )
    min_pixels: int | None = Field(
        default=None,
        ge=1,
        description=(
            "A segment that would add fewer pixels than this is left out. If it is null, it is 50 for an input of 224 × 224, and changes "
            "in proportion to the area."
        ),
    )
    area: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description=(
            "Regions are ranked until they cover more than this share of the image. The rest is one region, with its mean. 1 ranks all."
        ),
    )
    shares: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        default=(0.1, 0.2, 0.3),
        min_length=1,
        max_length=6,
        description="The picture `best` shows the image's best regions that cover these shares (0-1) of the area.",
    )
    smooth: float = Field(default=0.0, ge=0, le=0.2, description=SMOOTH)
    clip: float = Field(
        default=100,
        ge=50,
        le=100,
        description="The colours reach their full strength at this percentile (50-100) of the map's absolute values.",
    )
    seed: int = Field(
        default=0, ge=0, lt=2**31, description="This is the seed of random baselines. The same seed gives the same baselines."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = super().resolve(model, limits)
        check_samples(self.gradients(), resolved, limits, "/params/steps")
        return resolved

    def tries(self, model: ModelDescription) -> int:
        """Return how many gradients these resolved parameters take, all classes together."""
        return self.gradients() * len(self.target_classes().indices)

    def gradients(self) -> int:
        """Return the number of gradients that are taken for one class."""
        return self.steps * len(self.baselines)

    def dilation_radius(self, height: int, width: int) -> int:
        """Return the radius in pixels by which segments of an input of this size are enlarged."""
        return round(5 * min(height, width) / REFERENCE_SIDE) if self.dilation is None else self.dilation

    def fewest_pixels(self, height: int, width: int) -> int:
        """Return how many pixels a segment must add to the regions of an input of this size."""
        return max(1, round(50 * height * width / REFERENCE_SIDE**2)) if self.min_pixels is None else self.min_pixels
