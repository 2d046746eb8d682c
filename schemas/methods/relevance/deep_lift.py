"""The parameters of `deep_lift`: what each pixel contributes to the difference between a class's scores for the image and a baseline."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, PictureParams
from schemas.methods.gradients.path import CompletenessFacts, PathBaseline
from schemas.methods.target_class import TargetClassParams
from schemas.methods.targets import SimilarityTarget
from schemas.models import PublishedModel


class DeepLiftFacts(CompletenessFacts):
    """The classes, and how well the contributions of each add up. Only rounding is lost."""


class DeepLift(FramesParams, TargetClassParams, PictureParams):
    """Each pixel's contribution to the difference between a class's scores for the image and for a baseline, by the rescale rule.

    Each activation is compared with that for the baseline, and its difference is shared among what it was computed from.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="deep_lift",
        title="DeepLIFT",
        summary=(
            "The image and a baseline go through the network side by side. The difference of their scores is handed back layer by layer to "
            "the pixels that caused it, and all of it arrives. Red pixels speak for the class, blue ones against it."
        ),
        reference=(
            "Shrikumar et al., Learning Important Features Through Propagating Activation Differences, ICML 2017, arXiv:1704.02685, with "
            "the rescale rule; maxima as in Captum; products of two factors as in SHAP, Lundberg and Lee, arXiv:1705.07874"
        ),
        formula=(
            "(x − b) · m, where the multiplier m goes back through linear layers as a gradient, and through an activation f as "
            "(f(z) − f(z_b)) / (z − z_b) in place of its derivative, with z and z_b for the image and the baseline"
        ),
        cost="One pass of the image and the baseline together, forward and backward, so about two to three times as long as `saliency`.",
        how_to_read=(
            "Red pixels raise the class compared with the baseline, blue pixels lower it, and together they sum to the difference of the "
            "two scores. It looks like integrated gradients at a small part of the cost."
        ),
        when_it_misleads=(
            "Everything is relative to the baseline: against black, dark objects get little. Two networks that compute the same function "
            "in different ways can get different maps. Try a second baseline before you trust a blank place."
        ),
        needs_image=True,
        lane="fast",
        artifacts=GRADIENT_ARTIFACTS,
        facts=DeepLiftFacts,
        example={"class_index": None},
    )

    baseline: PathBaseline = Field(
        default="blurred",
        description=(
            "The image is compared with this baseline: `black`, `white`, the `mean` colour of the image, the image `blurred`, or `random` "
            "pixels."
        ),
    )
    seed: int = Field(
        default=0, ge=0, lt=2**31, description="This is the seed of the random baseline. The same seed gives the same baseline."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = self.resolve_target(model, limits)
        if isinstance(resolved.other_target, SimilarityTarget):
            raise InvalidParameters(
                "DeepLIFT has no rule for the length by which a similarity is divided. Use integrated_gradients for this target.",
                pointer="/params/target",
                allowed="class, difference, region, element or activation",
                got="similarity",
            )
        self.check_frames(resolved, limits)
        return resolved
