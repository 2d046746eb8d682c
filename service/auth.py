"""Tell who calls. Every call on the store takes an owner from here, so that nobody reaches what belongs to another owner."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from schemas.access import ANONYMOUS, Scope

_IDENTITY = "identity"


@dataclass(frozen=True)
class Identity:
    """Who has sent a request.

    Attributes:
        owner: what the caller makes belongs to this owner.
        scopes: what the caller may do.
        key_id: the id of the API key; None if the caller has none.
        limited_as: the name under which requests and jobs under way are counted; None if the caller cannot be told from others.
        sign: adds the signature of the key to a path; None without a key.
    """

    owner: str
    scopes: tuple[Scope, ...]
    key_id: str | None = None
    limited_as: str | None = None
    sign: Callable[[str], str] | None = None

    def allows(self, scope: Scope) -> bool:
        """Tell whether the caller may do what needs `scope`."""
        return scope in self.scopes or "admin" in self.scopes


KEYLESS = Identity(ANONYMOUS, ("read", "submit"))  # whoever needs no key; only a key can make keys


def note_identity(scope: MutableMapping[str, Any], identity: Identity) -> None:
    """Note in an ASGI scope who has sent the request."""
    scope.setdefault("state", {})[_IDENTITY] = identity


def identity_of(scope: MutableMapping[str, Any]) -> Identity | None:
    """Return who has sent the request of an ASGI scope; None if it needed no key or has not been let in yet."""
    return scope.get("state", {}).get(_IDENTITY)


async def current_owner(request: Request) -> str:
    """Return the owner whose key the request has; without API keys, every caller is the owner `anonymous`.

    Raises:
        RuntimeError: nobody has checked the request, because its route was not added with `gate`.
    """
    identity = identity_of(request.scope)
    if identity is None:
        raise RuntimeError("This route asks who calls, but nothing has checked that.")
    return identity.owner


OwnerDep = Annotated[str, Depends(current_owner)]
