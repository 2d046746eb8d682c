"""The parameters of `partition_shap`: Owen values by a tree of axis-aligned halves of the image."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.heat import SIGNED_ALPHA
from schemas.methods.perturbation.base import PERTURBATION_ARTIFACTS, PerturbationFacts, PerturbationParams, check_masks
from schemas.models import ModelDescription, PublishedModel

Cover = Literal["blur", "inpaint_telea", "inpaint_ns", "mean", "black", "white"]


class PartitionShapFacts(PerturbationFacts):
    """The scores between which the values divide the difference, and how finely the image was divided."""

    base_scores: tuple[float, ...] = Field(description="This is the watched score of each class with the whole image covered.")
    whole_scores: tuple[float, ...] = Field(
        description="This is the watched score of each class for the whole image. All values together are it minus the base score."
    )
    regions: int = Field(description="This is the number of different regions that have got a value. Some may lie inside others.")
    smallest_region: int = Field(description="This is the number of pixels of the smallest region that has got a value.")


class PartitionShap(PerturbationParams):
    """The Owen value of each part of the image, where the parts are halves, halves of halves, and so on."""

    card: ClassVar[MethodCard] = MethodCard(
        name="partition_shap",
        title="Partition SHAP",
        summary=(
            "The image is cut into halves again and again, and first where it matters most. Each part gets its share in what the whole "
            "image adds to the class's score over the covered one, and the shares sum to this difference. Red parts raise the score, blue "
            "ones lower it. The method needs no gradients."
        ),
        reference=(
            "Owen, Values of games with a priori unions, 1977; the package shap, classes PartitionExplainer and maskers.Image (Lundberg "
            "and Lee, arXiv:1705.07874)"
        ),
        formula=(
            "φ(part) = ½ · [y(S ∪ part) − y(S)] + ½ · [y(S ∪ part ∪ sibling) − y(S ∪ sibling)], where S is what is visible around both "
            "halves. Each half is then divided in the same way, and a part that is not divided shares its value equally among its pixels"
        ),
        cost="One forward pass for each sample, 500 unless told, in batches. Inpainting adds up to a tenth of a second for each.",
        how_to_read=(
            "The values are in the units of the score and sum to the difference between the two scores in the facts. Small rectangles are "
            "where the method looked closely. Large ones were left undivided because they change little, or because the samples ran out."
        ),
        when_it_misleads=(
            "The edges of the rectangles are those of the tree and not of the object. A part that is not divided looks even, although its "
            "pixels may differ. What covers the parts is part of the question: a blur leaves large shapes visible. With a list of classes, "
            "the image is divided where any of them changes most."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            *PERTURBATION_ARTIFACTS,
            ArtifactSpec(
                "attribution",
                "array",
                "This is the value of each channel of each pixel: (H, W, C) float32, or (n, H, W, C) for a list of n classes. `map` is its "
                "sum over the channels.",
            ),
        ),
        facts=PartitionShapFacts,
        example={"class_index": None, "samples": 200},
        forward_only=True,
    )

    samples: int = Field(
        default=500,
        ge=4,
        multiple_of=2,
        description="The model sees at most this many images, each with some parts covered. More samples divide the image more finely.",
    )
    baseline: Cover = Field(
        default="blur",
        description=(
            "This covers the parts: the image under a box `blur`, a continuation of the visible parts (`inpaint_telea`: Telea 2004, or "
            "`inpaint_ns`: Bertalmio et al. 2001), the `mean` colour of the image, `black`, or `white`."
        ),
    )
    blur: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description=(
            "This is the side of the box in pixels of the model's input, over which `blur` takes the mean. If it is null, it is 4/7 of the "
            "input's longer side, which is 128 of 224 pixels. Other baselines do not use it."
        ),
    )
    batch_size: int = Field(
        default=10,
        ge=2,
        le=1000,
        multiple_of=2,
        description=(
            "So many samples are chosen at a time: the two halves of each of the parts that change the score most. A small number follows "
            "the largest changes more closely. With a large one, a pass of the model takes more samples."
        ),
    )
    clip: float = Field(
        default=99.9,
        ge=50,
        le=100,
        description="The colours reach their full strength at this percentile (50-100) of the map's absolute values.",
    )
    alpha: float = SIGNED_ALPHA

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        check_masks(self.samples, limits, "/params/samples", "")
        channels = model.description.input.channels
        if self.baseline.startswith("inpaint") and channels not in (1, 3):
            raise InvalidParameters(
                f"Inpainting works on grey and colour images, but model '{model.description.name}' takes inputs of {channels} channels.",
                pointer="/params/baseline",
                allowed="blur, mean, black, white",
                got=self.baseline,
            )
        return super().resolve(model, limits)

    def tries(self, model: ModelDescription) -> int:
        """Return the number of samples."""
        return self.samples

    def blur_side(self, height: int, width: int) -> int:
        """Return the side of the blurring box for an input of this size, in pixels."""
        return self.blur or max(1, round(max(height, width) * 4 / 7))
