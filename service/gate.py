"""Let requests in: check the key, and that it allows what the request asks for. The check precedes the reading of the body."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from fastapi import Request
from starlette.datastructures import Headers

from schemas.access import ApiKey, Scope
from schemas.access_errors import ScopeMissing, Unauthenticated, invalid_key
from schemas.errors import StorageFull
from service.access_rules import changes_models, counted_as, required_scope
from service.auth import KEYLESS, Identity, note_identity
from service.dependencies import Services, ServicesDep
from service.rate_limits import caller_at
from service.request_context import answer_headers


async def gate(request: Request, services: ServicesDep) -> None:
    """Note who calls, for `current_owner`. `create_app` puts this before every route.

    Raises:
        Unauthenticated: the request has no valid key and needs one.
        ScopeMissing: the key does not allow the request.
        RateLimited: the caller has sent too many requests, or its address too many without a valid key.
        BrokerUnavailable: the key cannot be checked, because Redis does not answer.
    """
    scope = required_scope(request.method, request.scope["route"].path)
    if scope is None:
        return
    with services.traces.span("door checks") if request.method == "POST" else nullcontext():
        await _let_in(request, services, scope)


async def _let_in(request: Request, services: Services, scope: Scope) -> None:
    address = request.client.host if request.client else None
    if not services.key_ring.knows(sent_key(request.headers)):
        services.refused_callers.check(address)
    try:
        identity = await _identity(request, services)
    except Unauthenticated:
        services.refused_callers.note(address)
        raise
    if not (identity.allows(scope) or _may_change_models(request, identity)):
        raise _missing(scope, identity)
    note_identity(request.scope, identity)
    if identity.limited_as is not None:
        kind = counted_as(request.method, request.scope["route"].path)
        await services.rate_limits.take(kind, identity.limited_as, answer_headers(request.scope))


def _may_change_models(request: Request, identity: Identity) -> bool:
    """Tell whether a caller without a key uploads or deletes a model. The route refuses it if uploads are not turned on.

    The command line starts no service with uploads and without keys beyond loopback.
    """
    return identity.key_id is None and changes_models(request.method, request.scope["route"].path)


async def _identity(request: Request, services: Services) -> Identity:
    token = sent_key(request.headers)
    if token is not None:
        return await _holder(await services.key_ring.check(token), services)
    if "signature" in request.query_params and request.method == "GET":
        return await _signer(request, services)
    if services.settings.auth == "required":
        raise Unauthenticated("This request needs an API key. Send it as 'Authorization: Bearer cs_…' or as 'X-API-Key: cs_…'.")
    if services.settings.limit_by_address:
        return replace(KEYLESS, limited_as=caller_at(request.client.host if request.client else None))
    return KEYLESS


async def _holder(key: ApiKey, services: Services) -> Identity:
    try:
        sign = await services.signer.signing_for(key.id)
    except StorageFull:
        sign = None  # a full Redis takes no new secret; addresses without signatures are better than no answers
    return Identity(key.owner, key.scopes, key.id, limited_as=key.owner, sign=sign)


async def _signer(request: Request, services: Services) -> Identity:
    """Return the identity of the key that has signed the address. It may do nothing but read."""
    query = request.query_params
    key_id = await services.signer.check(request.scope["path"], query["signature"], query.get("expires", ""))
    key = await services.key_ring.holder(key_id)
    if key is None:
        raise invalid_key("The key that signed this address has expired or been revoked.")
    identity = await _holder(key, services)
    return replace(identity, scopes=("read",) if key.allows("read") else ())


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
    got = ", ".join(identity.scopes) or "none"
    return ScopeMissing(f"This needs the scope '{scope}'; the key {identity.key_id} has {got}.", allowed=scope, got=got)
