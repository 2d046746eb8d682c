"""The parameters, facts and artifacts that the methods of attention share."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.methods.annotate import AnnotateParams
from schemas.methods.attention.attention_layers import attention_stack, has_class_token
from schemas.methods.card import ArtifactSpec
from schemas.methods.colormap import Colormap
from schemas.methods.frames import ANIMATION, AnimatedFacts
from schemas.methods.heat import HEAT_ALPHA, HEAT_COLORMAP, HEAT_PICTURES
from schemas.methods.image_input import ExplainedInputParams
from schemas.methods.target_class import OutputParams
from schemas.models import Layer, LayerPath, PublishedModel

QueryName = Literal["class_token", "mean"]
PhotoPoint = tuple[float, float]

ATTENTION_ARTIFACTS = (
    *HEAT_PICTURES,
    ArtifactSpec(
        "map", "array", "This is the unscaled map (h, w) float32 at the resolution of the tokens, or (n, h, w) for a list of n classes."
    ),
    ANIMATION,
)


class AttentionFlowFacts(AnimatedFacts):
    """The layers that attention was followed through, and how much of it left the picture."""

    layers: tuple[str, ...] = Field(
        description="These are the calls of attention layers that were followed, the first one first. `path//1` is the second call of a "
        "shared layer."
    )
    heads: tuple[int, ...] = Field(description="This is the number of heads of each of these calls.")
    tokens: int = Field(description="This is the number of tokens.")
    outside: tuple[float, ...] = Field(
        description="For each map, this is the share (0-1) of the values on tokens outside of the picture, such as the class token."
    )


class AttentionPictureParams(AnnotateParams, ExplainedInputParams):
    """Parameters that say how attention is drawn."""

    colormap: Colormap = HEAT_COLORMAP
    alpha: float = HEAT_ALPHA


class AttentionStackParams(OutputParams, AttentionPictureParams):
    """Parameters of a method that follows attention through several layers."""

    layers: Annotated[tuple[LayerPath, ...], Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description=(
            "These are the paths of the attention layers that are followed. If it is null, all attention layers between the photo and the "
            "output are followed."
        ),
    )
    query: QueryName | None = Field(
        default=None,
        description=(
            "The map shows what this token depends on: the `class_token`, or the `mean` over the tokens of the picture. If it is null, it "
            "is the class token if the model has one, and else the mean."
        ),
    )

    def with_stack(self, model: PublishedModel) -> Self:
        """Return these parameters with the layers and the query filled in."""
        found = attention_stack(model, self.layers, self.output)
        return self.changed(layers=tuple(layer.path for layer in found), query=checked_query(self.query, found[0]))

    def layer_paths(self) -> tuple[str, ...]:
        """Return the layers of resolved parameters.

        Raises:
            ValueError: the parameters are not resolved.
        """
        if self.layers is None:
            raise ValueError("the parameters are not resolved: layers is None")
        return self.layers


def checked_query(query: QueryName | PhotoPoint | None, layer: Layer) -> QueryName | PhotoPoint:
    """Return the query, and for None the class token, or the mean if there is none.

    Raises:
        InvalidParameters: the class token is asked for and there is none.
    """
    if query is None:
        return "class_token" if has_class_token(layer) else "mean"
    if query == "class_token" and not has_class_token(layer):
        raise InvalidParameters(
            f"Layer '{layer.path}' has no class token before the tokens of the picture. Ask for the mean, or leave query out.",
            pointer="/params/query",
            allowed="mean",
            got="class_token",
        )
    return query
