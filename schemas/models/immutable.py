"""The base class of everything that is said about a model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ImmutableSchema(BaseModel):
    """A pydantic model that cannot be changed and refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
