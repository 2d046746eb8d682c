"""The classes that describe a model share this base class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class ImmutableSchema(BaseModel):
    """A pydantic model that cannot be changed and refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values in the fields that `update` names.

        Pydantic copies the values of cached properties, too. They may not fit the new fields, so the copy computes them anew.
        """
        copied = super().model_copy(update=update, deep=deep)
        values = vars(copied)
        for name in tuple(values):
            if isinstance(getattr(type(copied), name, None), cached_property):
                del values[name]
        return copied
