"""The routes under `/v1/webhooks`: the secret that signs the caller's webhooks, and the state of its endpoints."""

from __future__ import annotations

from fastapi import APIRouter, Response

from schemas.webhooks import WebhookEndpointList, WebhookSecret
from service.auth import OwnerDep
from service.dependencies import ServicesDep
from service.problems import documented
from service.responses import model_response

router = APIRouter(tags=["webhooks"])
_NOT_STORED = {"Cache-Control": "no-store"}


@router.get(
    "/v1/webhooks/secret",
    operation_id="get_webhook_secret",
    summary="The secret of your webhooks",
    response_model=WebhookSecret,
    responses=documented(503),
)
async def get_webhook_secret(services: ServicesDep, owner: OwnerDep) -> Response:
    """Your webhooks are signed with this secret, as Standard Webhooks describes. All keys of one owner share it. Without keys, the
    installation has one."""
    return model_response(await services.store.webhooks.secret(owner), 200, _NOT_STORED)


@router.post(
    "/v1/webhooks/secret",
    operation_id="rotate_webhook_secret",
    summary="Make a new secret for your webhooks",
    response_model=WebhookSecret,
    responses=documented(503),
)
async def rotate_webhook_secret(services: ServicesDep, owner: OwnerDep) -> Response:
    """For a day, webhooks are signed with the new secret and with the one before. Then the one before ends."""
    return model_response(await services.store.webhooks.rotate_secret(owner), 200, _NOT_STORED)


@router.get(
    "/v1/webhooks/endpoints",
    operation_id="list_webhook_endpoints",
    summary="The endpoints of your webhooks",
    response_model=WebhookEndpointList,
    responses=documented(503),
)
async def list_webhook_endpoints(services: ServicesDep, owner: OwnerDep) -> Response:
    """An endpoint that has failed too often in a row is disabled for a day, and its entry says why."""
    return model_response(WebhookEndpointList(items=tuple(await services.store.webhooks.endpoints(owner))))
