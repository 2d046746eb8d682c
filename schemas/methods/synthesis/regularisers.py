"""The penalties and the blur that keep a synthesised image smooth."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Regularisers(BaseModel):
    """Penalties that are subtracted from the objective, each with its weight, and a blur. Zero turns one off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    l1: float = Field(default=0.0, ge=0, description="This is the weight of the mean absolute distance from mid-grey, in input units.")
    l2: float = Field(default=0.0, ge=0, description="This is the weight of the mean squared distance from mid-grey, in input units.")
    total_variation: float = Field(
        default=0.0, ge=0, description="This is the weight of the mean absolute difference between neighbouring pixels."
    )
    blur: float = Field(
        default=0.0,
        ge=0,
        le=8,
        description="A Gaussian blur with this σ in pixels is applied to the image after every fourth step. Only `pixel` allows it.",
    )
