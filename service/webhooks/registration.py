"""Check the webhook that a submission asks for, and note it when the job or the batch is made."""

from __future__ import annotations

from schemas.errors import InvalidParameters, QueueFull, StateConflict
from schemas.webhooks import WebhookRequest
from service.dependencies import Services


async def check_webhook(services: Services, owner: str, webhook: WebhookRequest) -> None:
    """Check a webhook before the job or the batch is made.

    Raises:
        InvalidParameters: the operator has not turned webhooks on.
        UrlRefused: the address may not be opened.
        StateConflict: the endpoint is disabled, because it has failed too often.
        QueueFull: too many webhooks wait for their delivery.
    """
    settings = services.settings
    if not settings.webhooks:
        detail = "This service sends no webhooks. Follow the events instead, or wait with ?wait=."
        raise InvalidParameters(detail, pointer="/webhook", allowed="no webhook", got="a webhook")
    await services.outbound.check(webhook.url, "/webhook/url")
    endpoint = await services.store.webhooks.endpoint(owner, webhook.url)
    if endpoint is not None and endpoint.disabled_until is not None:
        raise StateConflict(
            f"The endpoint has failed {endpoint.failures} times in a row and is disabled until {endpoint.disabled_until:%Y-%m-%dT%H:%MZ}. "
            "GET /v1/webhooks/endpoints says why.",
            pointer="/webhook/url",
        )
    if await services.store.webhooks.waiting() >= settings.max_webhooks:
        raise QueueFull(
            f"{settings.max_webhooks} webhooks wait for their delivery, and no more may. Try again later, or without a webhook."
        )
