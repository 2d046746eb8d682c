"""The parameters and the artifacts that methods share whose map is drawn as heat on the photo, or as red and blue."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from schemas.methods.card import ArtifactSpec

HEAT_COLORMAP: Any = Field(default="turbo", description="The heatmap has the colours of this colormap.")
HEAT_ALPHA = Field(
    default=0.6,
    ge=0,
    le=1,
    description=(
        "This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. It falls with the heat."
    ),
)
SIGNED_ALPHA = Field(
    default=0.7, ge=0, le=1, description="This is the weight of the map's colours in the overlay, 0-1, where the map is strongest."
)

HEAT_PICTURES = (
    ArtifactSpec(
        "overlay",
        "image",
        "This is the heatmap on the image, at the image's own size. Several classes are tiles with captions.",
        primary=True,
    ),
    ArtifactSpec(
        "heatmap", "image", "This is the heatmap alone, at the image's own size. It is grey where the model did not look (`fit` crop)."
    ),
)
