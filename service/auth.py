"""Who calls. Every call on the store goes through `OwnerDep`, so that keys can come without touching a route."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

_ANYONE = "anonymous"


async def owner() -> str:
    """The caller: everyone is the same one while there are no keys."""
    return _ANYONE


OwnerDep = Annotated[str, Depends(owner)]
