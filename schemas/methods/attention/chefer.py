"""The parameters of `chefer`: the relevance of tokens for a class, by attention and its gradient."""

from __future__ import annotations

from typing import ClassVar, Self

from schemas.limits import MethodLimits
from schemas.methods.attention.base import ATTENTION_ARTIFACTS, AttentionFlowFacts, AttentionStackParams
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams
from schemas.methods.target_class import TargetClassParams
from schemas.models import PublishedModel


class Chefer(FramesParams, TargetClassParams, AttentionStackParams):
    """A map of the tokens that are relevant for a class: attention that raises its score, added up over all ways through the layers."""

    card: ClassVar[MethodCard] = MethodCard(
        name="chefer",
        title="Attention relevance (Chefer)",
        summary=(
            "The attention of each head is multiplied by the gradient of the class's score, and what raises the score is added up over all "
            "layers of a vision transformer. The map shows which places are relevant for this class."
        ),
        reference=(
            "Chefer, Gur and Wolf, Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers, "
            "ICCV 2021, arXiv:2103.15679, the rule of self-attention"
        ),
        formula="R ← R + Ā·R from R = I, with Ā = mean_h((∇A_h ⊙ A_h)⁺) of each layer; the map is the row of the class token",
        cost="One forward and one backward pass down to the first attention layer.",
        how_to_read=(
            "A place is warm if attention to it, on its way through all layers, raises the score of this class. It is the usual choice to "
            "explain a class of a vision transformer."
        ),
        when_it_misleads=(
            "Only what raises the score is shown, nothing that lowers it. Values and dense layers do not count, so that a token may be "
            "warm for what it passes on, and not for what is seen there. The resolution is that of the tokens. In a network whose head "
            "reads all tokens, the map is their mean."
        ),
        needs_image=True,
        lane="fast",
        artifacts=ATTENTION_ARTIFACTS,
        facts=AttentionFlowFacts,
        example={"class_index": None},
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = self.resolve_target(model, limits).with_stack(model)
        self.check_frames(resolved, limits)
        return resolved
