"""The parameters of `excitation_backprop`: the neurons that win on the way from a class down to a layer."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, TargetCamParams
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams
from schemas.models import PublishedModel


class ExcitationBackprop(FramesParams, TargetCamParams):
    """A map of the probability that a walk from the class down the network, along weights above 0, arrives at each place of a layer."""

    card: ClassVar[MethodCard] = MethodCard(
        name="excitation_backprop",
        title="Excitation backpropagation",
        summary=(
            "A walker starts at the class and goes down the network, always to a neuron that excites the last one, in proportion to how "
            "much. The heatmap shows where it arrives. If it is contrastive, a second walker starts at everything that speaks against "
            "the class, and its map is subtracted."
        ),
        reference="Zhang et al., Top-down Neural Attention by Excitation Backprop, arXiv:1608.00507",
        formula="P_i = Σ_j A_i·w_ij⁺ / (Σ_i' A_i'·w_i'j⁺) · P_j, from 1 at the class down to the layer, summed over the channels",
        cost="One forward pass, and one backward pass from the class down to the layer that computes each layer three times.",
        how_to_read=(
            "A place is warm if what the layer found there excites the class, directly or over other neurons. With `contrastive`, it is "
            "warm only if it excites this class more than what speaks against it."
        ),
        when_it_misleads=(
            "Without `contrastive`, the map is nearly the same for every class, because only weights above 0 count. At early layers it "
            "marks everything that excites anything. Activations below 0 count as 0, so it fits networks of ReLUs best."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )

    contrastive: bool = Field(
        default=True,
        description=(
            "If it is true, the map of the negated class is subtracted, and what is below 0 becomes 0. The negated class has the weights "
            "of the class with the other sign."
        ),
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        if self.precision != "float32":
            raise InvalidParameters(
                "Excitation backpropagation divides by sums that may be small, so it computes in float32 alone.",
                pointer="/params/precision",
                allowed="float32",
                got=self.precision,
            )
        resolved = super().resolve(model, limits)
        self.check_frames(resolved, limits)
        return resolved
