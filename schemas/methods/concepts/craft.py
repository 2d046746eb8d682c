"""The parameters and facts of `craft`: the concepts that crops of a class's photos have in common, and how much the class needs each."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.concepts.dff import MOST_PARTS, check_channels_suffice
from schemas.methods.facts import Facts
from schemas.methods.perturbation.base import check_masks
from schemas.methods.photo_names import PhotoNamesParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_class import class_output
from schemas.methods.target_layer import TargetLayerParams, cam_layer, default_layer
from schemas.methods.targets import ClassSelector
from schemas.models import PublishedModel

OVERLAP = 0.2
"""The share of a crop that the next crop covers too, as in Xplique."""


class ConceptCrop(Facts):
    """A crop that shows a concept."""

    image: str = Field(description="This is the id of the image.")
    number: int = Field(description="This is the image's place in `images`, counted from 0.")
    box: tuple[int, int, int, int] = Field(description="This is the crop, (top, left, height, width) in pixels of the photo.")
    value: float = Field(description="This is how much of the concept the crop has. The largest value of a concept in all crops is 1.")


class Concept(Facts):
    """A concept, how much the class needs it, and the crops that show it most."""

    number: int = Field(description="This is the number of the concept, counted from 0. The most important concept is first.")
    importance: float = Field(
        description=(
            "This is the total Sobol index of the concept for the class's logit, the mean over the photos: its share in the variance of "
            "the logit when all concepts are weakened at random, alone and together with others."
        )
    )
    crops: tuple[ConceptCrop, ...] = Field(description="These are the crops that show the concept most, the strongest first.")


class CraftFacts(Facts):
    """The concepts of a class."""

    layer: str = Field(description="This is the path of the layer.")
    class_index: int = Field(description="This is the index of the class.")
    label: str | None = Field(description="This is the class's label. It is null if the model has no labels.")
    images_of_class: int = Field(description="This is the number of photos for which the class is the model's top class.")
    crops: int = Field(description="This is the number of all crops.")
    masks: int = Field(description="This is the number of altered activations for which the model's scores were computed.")
    concepts: tuple[Concept, ...] = Field(description="These are the concepts, the most important first.")
    relative_error: float = Field(
        description="This is ‖A − U·W‖ / ‖A‖ over the crops. 0 means that the concepts rebuild the activations of every crop."
    )
    iterations: int = Field(description="This is the number of iterations of the factorization.")
    converged: bool = Field(description="It is false if the factorization stopped at `max_iterations`.")


class Craft(TargetLayerParams, PrecisionParams, PhotoNamesParams):
    """The concepts in photos of a class: what their crops have in common, where it is, and how much the class needs it."""

    card: ClassVar[MethodCard] = MethodCard(
        name="craft",
        title="CRAFT concepts",
        summary=(
            "This finds the concepts in photos of a class: what many crops of them have in common in a layer. Each concept has example "
            "crops, a map on each photo, and its importance for the class."
        ),
        reference=(
            "Fel et al., CRAFT: Concept Recursive Activation FacTorization for Explainability, CVPR 2023, arXiv:2211.10154; estimator of "
            "Jansen, 1999, doi:10.1016/S0010-4655(98)00154-4"
        ),
        formula=(
            "A ≈ U·W with U, W ≥ 0; A has a row for each crop, the mean of max(0, activation) over the positions; a photo's map is the U "
            "that is best for this W; importance = total Sobol index of concept i for logit(Σ_i m_i · U_i · W_i) with weights m of 0-1"
        ),
        cost=(
            "A forward pass for each crop, about 9 for each photo, two for each photo, and designs · (concepts + 1) passes from the layer "
            "on for each photo, 144 unless told."
        ),
        how_to_read=(
            "Each concept has a colour. Its crops show what it is, and the colours on the photos show where it is. The bar is its "
            "importance: how much of the change in the class's logit comes from this concept when concepts are weakened. Important "
            "concepts are what the model goes by for this class."
        ),
        when_it_misleads=(
            "Concepts are found only in the photos that you give: with few photos, a concept may be one photo. Their number is a choice. "
            "The importance has no sign, so an important concept may speak against the class. Crops are enlarged, which the model may see "
            "differently than the same thing in the photo."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec(
                "sheet",
                "image",
                "This shows some photos with the concepts in colours, the importance of each concept, and its strongest crops.",
                primary=True,
            ),
            ArtifactSpec("importances", "array", "These are the importances (images, concepts) float32 for each photo alone."),
            ArtifactSpec(
                "maps.{image}",
                "array",
                "These are the maps of the concepts (concepts, h, w) float32 for each photo, by its place in `images`. The largest value "
                "of a concept in all photos is 1.",
            ),
            ArtifactSpec(
                "vectors", "array", "These are the vectors W of the concepts (concepts, channels) float32. Each has the length 1."
            ),
            ArtifactSpec(
                "values", "array", "This is how much of each concept each crop has (crops, concepts) float32, with 1 as the largest value."
            ),
            ArtifactSpec(
                "crops",
                "array",
                "These are the crops (crops, 5) int32: the photo's place in `images`, and top, left, height and width in its pixels.",
            ),
        ),
        facts=CraftFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "layer": None, "class_index": None, "concepts": 3, "designs": 4},
    )

    class_index: ClassSelector | None = Field(
        default=None,
        description=(
            "This is the class whose concepts are found: a class index or a label. If it is null, it is the class that is the top class of "
            "most photos."
        ),
    )
    concepts: int = Field(default=8, ge=1, le=MOST_PARTS, description="This is the number of concepts.")
    crop: float = Field(
        default=0.3,
        ge=0.1,
        le=1,
        description="This is the side of the square crops, as a share of the shorter side of the model's input. Neighbouring crops overlap "
        "by a fifth.",
    )
    examples: int = Field(default=6, ge=1, le=16, description="This is the number of crops that each concept shows.")
    designs: Literal[4, 8, 16, 32, 64, 128, 256] = Field(
        default=16,
        description=(
            "This is the number of random weakenings for each concept and photo. It is a power of two, for which a Sobol sequence is even. "
            "The authors take 32."
        ),
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="This is the seed of the random weakenings.")
    max_iterations: int = Field(default=200, ge=1, le=2000, description="The factorization stops after so many iterations at the latest.")
    annotate: bool = Field(default=True, description="If it is true, the picture has a title.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Craft:
        self.check_count(limits)
        class_output(model, None)
        chosen = None if self.class_index is None else model.class_index_of(self.class_index)
        layer = model.description.layer_at(cam_layer(model, self.layer or default_layer(model)))
        check_channels_suffice(self.concepts, layer, "/params/concepts", "concepts")
        hint = " This counts the crops. Take fewer `images`, `designs` or `concepts`."
        check_masks(self.masks() + self._crops(model), limits, "/params/designs", hint)
        return self.changed(layer=layer.path, class_index=chosen)

    def masks(self) -> int:
        """Return the number of altered activations for which the model computes scores."""
        return len(self.images) * self.designs * (self.concepts + 1)

    def _crops(self, model: PublishedModel) -> int:
        """Return the number of crops. Inputs of a free size are taken to be as high as wide."""
        given = model.description.input
        size = (given.height or given.width or 1, given.width or given.height or 1)
        side, stride = crop_sides(self.crop, size)
        return len(self.images) * len(range(0, size[0] - side + 1, stride)) * len(range(0, size[1] - side + 1, stride))


def crop_sides(share: float, size: tuple[int, int]) -> tuple[int, int]:
    """Return the side of the crops of an input of `size` (height, width), and the distance of neighbouring crops, in pixels."""
    side = max(1, round(share * min(size)))
    return side, max(1, int(side * (1 - OVERLAP)))
