"""The parameters of `gradient_rollout`: attention rollout in which the gradient of a class weighs the heads."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.attention.attention_rollout import DISCARD
from schemas.methods.attention.base import ATTENTION_ARTIFACTS, AttentionFlowFacts, AttentionStackParams
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams
from schemas.methods.target_class import TargetClassParams
from schemas.models import PublishedModel


class GradientRollout(FramesParams, TargetClassParams, AttentionStackParams):
    """A map of where the attention that raises a class's score leads to, over all layers."""

    card: ClassVar[MethodCard] = MethodCard(
        name="gradient_rollout",
        title="Gradient attention rollout",
        summary=(
            "As in attention rollout, the attention of all layers is multiplied. Each weight is first multiplied by the gradient of the "
            "class's score, so that only attention that raises the score is followed."
        ),
        reference=(
            "Gildenblat, vit-explain, Exploring Explainability for Vision Transformers; rollout by Abnar and Zuidema, arXiv:2005.00928"
        ),
        formula="R = Ã_L · … · Ã_1 with Ã_l = norm(½·(mean_h(∇A_l,h ⊙ A_l,h)⁺ + I)); the map is the row of the class token",
        cost="One forward and one backward pass down to the first attention layer.",
        how_to_read=(
            "A place is warm if attention to it raises the score of this class. Ask for two classes of one photo, and see whether the map "
            "moves from one object to the other."
        ),
        when_it_misleads=(
            "The heads are averaged before what lowers the score is left out, so that heads can cancel each other. Gradients are small "
            "numbers beside the identity, so that long ways over several layers count little. Values and dense layers do not count."
        ),
        needs_image=True,
        lane="fast",
        artifacts=ATTENTION_ARTIFACTS,
        facts=AttentionFlowFacts,
        example={"class_index": None},
    )

    discard_ratio: float = Field(default=0, ge=0, lt=1, description=DISCARD)

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = self.resolve_target(model, limits).with_stack(model)
        self.check_frames(resolved, limits)
        return resolved
