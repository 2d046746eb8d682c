"""The parameters of `attention_maps`: where each head of a layer attends to."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.limits import MethodLimits
from schemas.methods.attention.attention_layers import attention_layer
from schemas.methods.attention.base import AttentionPictureParams, PhotoPoint, QueryName, checked_query
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.models import LayerPath, PublishedModel


class HeadAttention(BaseModel):
    """Says what one head does with its attention."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    head: int = Field(description="This is the number of the head. The first head is 0.")
    outside: float = Field(description="This share (0-1) of its attention lies on tokens outside of the picture, such as the class token.")
    entropy: float = Field(
        description="This is the entropy of its attention over all tokens, in bits. It is 0 if one token gets all, and log2(tokens) if "
        "all get the same."
    )
    strongest: tuple[int, int] = Field(description="This is the position (y, x) of the token that gets most, on the grid of tokens.")


class AttentionMapsFacts(Facts):
    """The layer, the token that attends, and each head that is drawn."""

    layer: str = Field(description="This is the path of the layer.")
    head_count: int = Field(description="This is the number of the layer's heads.")
    tokens: int = Field(description="This is the number of tokens that get attention.")
    grid: tuple[int, int] = Field(description="This is the height and the width of the grid that the tokens of the picture form.")
    position: tuple[int, int] | None = Field(
        description="This is the position (y, x) on the grid of the token that attends. It is null for the class token and the mean."
    )
    heads: tuple[HeadAttention, ...] = Field(description="These are the heads that are drawn. It is empty for their mean.")


class AttentionMaps(AttentionPictureParams):
    """Maps of the attention that one token pays to the others, one map for each head of a layer."""

    card: ClassVar[MethodCard] = MethodCard(
        name="attention_maps",
        title="Attention of heads",
        summary=(
            "Each head of an attention layer has a map: the weight that the class token, or a place of the photo, gives to every other "
            "place when it gathers what it needs. This is for vision transformers."
        ),
        reference=(
            "Vaswani et al., Attention Is All You Need, arXiv:1706.03762; Dosovitskiy et al., An Image Is Worth 16x16 Words, "
            "arXiv:2010.11929; drawn for each head as in Caron et al. (DINO), arXiv:2104.14294"
        ),
        formula="A_h[q, ·] with A_h = softmax(Q_h·K_hᵀ / √d), of head h and the token q that attends",
        cost="One forward pass up to the layer.",
        how_to_read=(
            "A place is warm if the token that attends takes much from it in this head. Every head has colours from its own minimum "
            "to its own maximum. Heads of one layer often look for different things, and some only look at neighbours."
        ),
        when_it_misleads=(
            "Attention is not importance: what a head gathers may be ignored by the layers after it, and the tokens of late layers have "
            "already mixed the whole photo. It explains no class. A head that has nothing to do often attends to one place without "
            "meaning, or to the class token, which is not in the picture: `outside` in the facts says how much."
        ),
        needs_image=True,
        lane="fast",
        artifacts=(
            ArtifactSpec(
                "overlay",
                "image",
                "This shows each head's map on the image, as tiles with the numbers of the heads, at the image's own size.",
                primary=True,
            ),
            ArtifactSpec("heatmap", "image", "This shows the maps alone, at the image's own size."),
            ArtifactSpec(
                "attention",
                "array",
                "These are the attention weights at the resolution of the tokens, (heads, h, w) float32, or (h, w) for the heads' mean.",
            ),
        ),
        facts=AttentionMapsFacts,
        example={"layer": None},
    )

    layer: LayerPath | None = Field(
        default=None,
        description="This is the path of the attention layer. If it is null, the last attention layer before the first output is used.",
    )
    heads: Literal["mean"] | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description="These heads are drawn. They count from 0. If it is null, all heads are drawn; `mean` is the mean of all heads.",
        examples=[[0, 3]],
    )
    query: QueryName | PhotoPoint | None = Field(
        default=None,
        description=(
            "This token attends: the `class_token`, a point (y, x) in pixels of the photo, or the `mean` over the tokens of the picture. "
            "If it is null, it is the class token if the model has one, and else the mean."
        ),
        examples=[[120, 200]],
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        layer = attention_layer(model, self.layer)
        heads = tuple(dict.fromkeys(self.heads)) if isinstance(self.heads, tuple) else self.heads
        return self.changed(layer=layer.path, heads=heads, query=checked_query(self.query, layer))
