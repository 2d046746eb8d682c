"""Tell who calls. Every call on the store takes an owner from here, so that API keys can be added without a change to any route."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

_ANONYMOUS = "anonymous"


async def current_owner() -> str:
    """Return the caller. Without API keys, every caller is the same owner."""
    return _ANONYMOUS


OwnerDep = Annotated[str, Depends(current_owner)]
