"""The parameter that says whether a picture carries a title and a scale."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.methods.base import MethodParams

Annotate = bool | Literal["side_by_side"]


class AnnotateParams(MethodParams):
    """Parameters of a method whose pictures show a map over a photo."""

    annotate: Annotate = Field(
        default=True,
        description=(
            "If it is true, a picture of the map has a title with the method, the model, the layer and the explained class, and beside it "
            "the scale of its colours. `side_by_side` also shows the photo on the left of the overlay of one map. If it is false, the "
            "picture is the map alone, at the photo's own size."
        ),
    )


NUMBERED = Field(
    default=True,
    description=(
        "If it is true, each tile of 40 pixels or more carries the number of its channel, or the label of its class, in a corner. If it is "
        "false, the tiles are bare."
    ),
)
