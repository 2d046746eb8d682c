"""Bounds on a model file, checked before the work each one bounds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ModelLimits(BaseModel):
    """What a file in the models folder may be."""

    model_config = ConfigDict(frozen=True)

    max_file_bytes: int = Field(default=2**30, gt=0, description="Size of a model file.")
    max_expanded_bytes: int = Field(default=4 * 2**30, gt=0, description="Size of what it expands to.")
    max_parameters: int = Field(default=200_000_000, gt=0, description="Parameters of the model in a file.")
    max_layers: int = Field(default=2_000, gt=0, description="Layers of the model in a file, nested ones included.")
