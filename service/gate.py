"""Let requests in: check the key, and that it allows what the request asks for. The check precedes the reading of the body."""

from __future__ import annotations

from fastapi import Request
from starlette.datastructures import Headers

from schemas.access_errors import ScopeMissing, Unauthenticated
from service.access_rules import required_scope
from service.auth import KEYLESS, Identity, note_identity
from service.dependencies import Services, ServicesDep


async def gate(request: Request, services: ServicesDep) -> None:
    """Note who calls, for `current_owner`. `create_app` puts this before every route.

    Raises:
        Unauthenticated: the request has no valid key and needs one.
        ScopeMissing: the key does not allow the request.
        BrokerUnavailable: the key cannot be checked, because Redis does not answer.
    """
    scope = required_scope(request.method, request.scope["route"].path)
    if scope is None:
        return
    identity = await _identity(request, services)
    if not identity.allows(scope):
        raise _missing(scope, identity)
    note_identity(request.scope, identity)


async def _identity(request: Request, services: Services) -> Identity:
    token = sent_key(request.headers)
    if token is not None:
        key = await services.key_ring.check(token)
        return Identity(key.owner, key.scopes, key.id)
    if services.settings.auth == "required":
        raise Unauthenticated("This request needs an API key. Send it as 'Authorization: Bearer cs_…' or as 'X-API-Key: cs_…'.")
    return KEYLESS


def sent_key(headers: Headers) -> str | None:
    """Return the API key that a request sends, in `X-API-Key` or as a bearer token; None if it sends none.

    Other kinds of `Authorization` are ignored, because a proxy before the service may use them.
    """
    if "x-api-key" in headers:
        return headers["x-api-key"].strip()
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _missing(scope: str, identity: Identity) -> ScopeMissing:
    if identity.key_id is None:
        return ScopeMissing(
            f"This needs an API key with the scope '{scope}'. Make one at the machine with `convscope keys add`.",
            allowed=scope,
            got="no key",
        )
    got = ", ".join(identity.scopes)
    return ScopeMissing(f"This needs the scope '{scope}'; the key {identity.key_id} has {got}.", allowed=scope, got=got)
