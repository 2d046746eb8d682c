"""The parameters of `faithfulness`, which tests whether the map of an attribution method shows what the model goes by."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.evaluation.faithfulness_facts import FaithfulnessFacts
from schemas.methods.evaluation.judged_map import JudgedMapParams
from schemas.methods.perturbation.base import Baseline, CountsTries, Score, check_masks
from schemas.models import LayerKind, PublishedModel


class Faithfulness(JudgedMapParams):
    """Deletion and insertion curves, drop in confidence, and correlations with randomised weights, for any attribution method."""

    card: ClassVar[MethodCard] = MethodCard(
        name="faithfulness",
        title="Faithfulness of an attribution",
        summary=(
            "This tests a map: how fast the class's score falls as the map's strongest pixels are covered, how fast it rises as they are "
            "shown, how much of it is left in the part that the map shows, and whether the map changes with the model's weights."
        ),
        reference=(
            "Petsiuk et al., RISE, arXiv:1806.07421 (deletion, insertion); Chattopadhyay et al., Grad-CAM++, arXiv:1710.11063 (drop); "
            "Adebayo et al., Sanity Checks for Saliency Maps, arXiv:1810.03292 (randomised weights)"
        ),
        formula=(
            "areas under the class's score while pixels are covered (deletion) or shown (insertion) in the order of the map, and in that "
            "of a random map; Spearman's rank correlation of maps after weights are randomised"
        ),
        cost="Four forward passes for each step of the curves, and one run of the attribution for each randomisation.",
        how_to_read=(
            "A good map has a small deletion area and a large insertion area, both beyond the dashed curves of a random map: the score "
            "falls soon when its strongest places are covered, and rises soon when they are shown. Correlations near 0 are good: the map "
            "depends on the weights that the model has learnt."
        ),
        when_it_misleads=(
            "A score that is low from the start makes the areas small, whatever the map. Covered images are images that the model never "
            "saw. A good result says that the map fits this image, and not that the method is right everywhere."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec("chart", "image", "This shows both curves with their areas, and below them the rank correlations.", primary=True),
            ArtifactSpec("overlay", "image", "This is the tested map on the image, as its own method draws it."),
            ArtifactSpec("map", "array", "This is the tested map, unscaled (h, w) float32."),
            ArtifactSpec(
                "curves",
                "array",
                "This is (5, steps + 1) float32: the share of pixels, the score at deletion and at insertion, and both for a random map.",
            ),
        ),
        facts=FaithfulnessFacts,
        example={"attribution": "grad_cam", "class_index": None, "steps": 20, "randomisations": 1},
        forward_only=True,
    )

    score: Score = Field(
        default="probability", description="This score of the class is watched: its probability as in the papers, or its logit."
    )
    steps: int = Field(
        default=50, ge=1, le=1000, description="Each curve has this many steps: the pixels are covered or shown in as many equal parts."
    )
    deletion: Baseline = Field(
        default="mean",
        description="Deleted pixels are covered with this: the `mean` colour of the image, `black`, `white`, or the image `blurred`.",
    )
    insertion: Baseline = Field(
        default="blurred",
        description="The image's pixels are inserted into this: the `mean` colour, `black`, `white`, or the image `blurred`.",
    )
    randomisations: int = Field(
        default=0,
        ge=0,
        le=32,
        description=(
            "Weights are randomised at this many points, which are spread over the layers with a kernel. At each point, all layers from "
            "the output down to it are randomised, and then this layer alone. A point costs two more maps and the time to compile them."
        ),
    )
    seed: int = Field(
        default=0, ge=0, lt=2**31, description="This is the seed of the randomised weights, and of the order of pixels with equal values."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Faithfulness:
        resolved = super().resolve(model, limits)
        if model.description.forward_only and self.randomisations:
            raise InvalidParameters(
                f"Model '{model.description.name}' can be run, but its file gives no layers whose weights could be randomised, so "
                f"randomisations must be 0; got {self.randomisations}.",
                pointer="/params/randomisations",
                allowed="0",
                got=str(self.randomisations),
            )
        attribution = resolved.resolved_attribution(model, limits)
        passes = 4 * (self.steps + 1) + 1
        check_masks(passes, limits, "/params/steps", "")
        if isinstance(attribution, CountsTries):
            maps = 1 + 2 * len(resolved.randomised_layers(model))
            passes += maps * attribution.tries(model.description)
            check_masks(passes, limits, "/params/randomisations" if maps > 1 else "/params/options", f" This counts {maps} maps.")
        return resolved.changed(options=resolved.completed_options(attribution))

    def randomised_layers(self, model: PublishedModel) -> tuple[tuple[str, ...], ...]:
        """Return for each point the paths of the layers from this point to the output, in the model's order.

        The first of them is the point itself, a layer with a kernel. A normalisation is never a point, because its random weights alone
        would change little.
        """
        weighted = [layer for layer in model.description.layers if layer.parameters and layer.kind is not LayerKind.MODEL]
        kernels = [index for index, layer in enumerate(weighted) if layer.kind is not LayerKind.NORMALIZATION]
        points = min(self.randomisations, len(kernels))
        starts = [kernels[len(kernels) - round(len(kernels) * (point + 1) / points)] for point in range(points)]
        return tuple(tuple(layer.path for layer in weighted[start:]) for start in starts)
