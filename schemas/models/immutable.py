"""The classes that describe a model share this base class."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ImmutableSchema(BaseModel):
    """A pydantic model that cannot be changed and refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
