"""The parameter that says whether a picture carries a title, a scale and numbers."""

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


class TitleParams(MethodParams):
    """Parameters of a method whose primary picture shows no map over a photo, and can have a title."""

    annotate: bool = Field(
        default=True,
        description=(
            "If it is true, a title with the method, the model and the layers stands above the primary picture. If it is false, the "
            "picture is bare."
        ),
    )


class NumberedTilesParams(TitleParams):
    """Parameters of a method whose primary picture has a tile for each channel or class."""

    annotate: bool = Field(
        default=True,
        description=(
            "If it is true, a title with the method, the model, the layer and the classes stands above the tiles, and each tile of 40 "
            "pixels or more carries the number of its channel, or the label of its class, in a corner. If it is false, the tiles are bare."
        ),
    )
