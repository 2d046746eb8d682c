"""The largest sizes of activations, which are checked before a model runs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ActivationLimits(BaseModel):
    """The largest activations of one layer and of all layers together, for one input. A batch stays below the second limit too."""

    model_config = ConfigDict(frozen=True)

    largest: int = Field(default=2**30, gt=0, description="The largest size in bytes of what one layer gives for one input.")
    kept: int = Field(default=4 * 2**30, gt=0, description="The largest size in bytes of what all layers give together.")
