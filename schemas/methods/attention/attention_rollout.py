"""The parameters of `attention_rollout`: attention followed through all layers."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.attention.base import ATTENTION_ARTIFACTS, AttentionFlowFacts, AttentionStackParams
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams
from schemas.models import PublishedModel

HeadFusion = Literal["mean", "max", "min"]
DISCARD = (
    "This share (0-1) of the weights of each layer, the lowest ones, is set to 0 before the layers are multiplied. It removes a haze of "
    "small weights."
)


class AttentionRollout(FramesParams, AttentionStackParams):
    """A map of where the attention of all layers together leads to, whatever the class."""

    card: ClassVar[MethodCard] = MethodCard(
        name="attention_rollout",
        title="Attention rollout",
        summary=(
            "The attention of all layers of a vision transformer is multiplied, so that the map shows from which places of the photo the "
            "class token got its content, over all layers. It explains no class. The facts name the top class."
        ),
        reference=(
            "Abnar and Zuidema, Quantifying Attention Flow in Transformers, arXiv:2005.00928; the fusion of heads and the discarded share "
            "are those of vit-explain (Gildenblat)"
        ),
        formula="R = Ã_L · … · Ã_1 with Ã_l = norm(½·(fuse_h A_l,h + I)), whose rows sum to 1; the map is the row of the class token",
        cost="One forward pass.",
        how_to_read=(
            "A place is warm if much of its content has reached the class token. With `max` heads and a discarded share of 0.9, the main "
            "object often stands out; with the defaults, the map is that of the paper."
        ),
        when_it_misleads=(
            "It is the same for every class. It takes heads and layers as equal, and skips everything but attention: values, dense layers "
            "and signs do not count. In deep networks the map becomes nearly even, or shows a few places without meaning that many tokens "
            "attend to. Use `chefer` to explain a class."
        ),
        needs_image=True,
        lane="fast",
        artifacts=ATTENTION_ARTIFACTS,
        facts=AttentionFlowFacts,
        example={},
    )

    head_fusion: HeadFusion = Field(
        default="mean", description="The heads of a layer become one by their `mean`, `max` or `min`, for each pair of tokens."
    )
    discard_ratio: float = Field(default=0, ge=0, lt=1, description=f"{DISCARD} The attention of the class token to itself is kept.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = self.with_stack(model)
        self.check_frames(resolved, limits)
        return resolved
