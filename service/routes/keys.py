"""The routes under `/v1/keys`: make, list and revoke API keys. They need the scope `admin`."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Request, Response

from schemas.access import ApiKeyList, ApiKeyRequest, NewApiKey
from schemas.errors import FieldError, NotFound
from service.dependencies import ServicesDep
from service.echo import echo
from service.media_type import media_type_of, unsupported_media_type
from service.problems import documented
from service.read_json import read_json
from service.responses import model_response
from service.validation_errors import invalid_parameters, validated

router = APIRouter(tags=["keys"])

_EXAMPLE = {"owner": "ada", "scopes": ["read", "submit"]}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ApiKeyRequest"}, "example": _EXAMPLE}},
    }
}
_log = structlog.get_logger(__name__)


@router.post(
    "/v1/keys",
    operation_id="add_key",
    summary="Make an API key",
    status_code=201,
    response_model=NewApiKey,
    response_description="The key is made. It is shown this once.",
    responses=documented(400, 413, 415, 422, 503),
    openapi_extra=_BODY,
)
async def add_key(request: Request, services: ServicesDep) -> Response:
    """The answer holds the key, which cannot be read again, because only its hash is stored."""
    if media_type_of(request) != "application/json":
        raise unsupported_media_type(media_type_of(request), "application/json")
    errors: list[FieldError] = []
    order = validated(ApiKeyRequest, read_json(await request.body()), "", errors)
    if order is None:
        raise invalid_parameters(errors)
    made = await services.store.api_keys.add(order)
    _log.info("key_added", key=made.id, owner=made.owner, scopes=list(made.scopes))
    return model_response(made, 201, {"Cache-Control": "no-store"})


@router.get("/v1/keys", operation_id="list_keys", summary="List the API keys", response_model=ApiKeyList, responses=documented(503))
async def list_keys(services: ServicesDep) -> Response:
    """The keys of all owners are listed, without their secret parts. The newest comes first."""
    return model_response(ApiKeyList(items=tuple(await services.store.api_keys.all())))


@router.delete("/v1/keys/{key_id}", operation_id="revoke_key", summary="Revoke an API key", status_code=204, responses=documented(404, 503))
async def revoke_key(
    key_id: Annotated[str, Path(description="This is the id of a key, as `GET /v1/keys` lists it.", examples=["k7f3m2q9x4tb"])],
    services: ServicesDep,
) -> Response:
    """Every process of the service refuses the key two seconds later at the latest. Jobs that were submitted with it go on."""
    if not await services.store.api_keys.revoke(key_id):
        raise NotFound(f"There is no API key '{echo(key_id)}'.", got=echo(key_id))
    _log.info("key_revoked", key=key_id)
    return Response(status_code=204)
