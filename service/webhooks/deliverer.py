"""Deliver webhooks. Every process of the service does, and a webhook is under a lease while one of them sends it."""

from __future__ import annotations

import asyncio
import random
import time

import structlog

from jobstore.webhooks import Delivery
from schemas.errors import BodyTooLarge, BrokerUnavailable, StorageFull, VisualizationError
from schemas.url_errors import UrlRefused, UrlUnavailable
from schemas.webhooks import WebhookPayload
from service.dependencies import Services
from service.webhooks.signature import signed_headers

RETRY_AFTER = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""The seconds after each failed attempt until the next one, as Standard Webhooks proposes. Up to a tenth is added at random."""
DISABLED_SECONDS = 86_400.0  # for which an endpoint that fails again and again is left alone
_MOST_AT_ONCE = 16  # webhooks that this process sends at the same time
_LOOK_EVERY = 0.5  # seconds between two looks for webhooks whose time has come
_MOST_ANSWER = 64 * 1024  # bytes of an endpoint's answer
_GONE = 410

_log = structlog.get_logger(__name__)


class WebhookDeliverer:
    """Looks for webhooks whose time has come and sends them, until it is closed. A webhook may come twice, always with the same id."""

    def __init__(self, services: Services) -> None:
        self._services, self._store = services, services.store.webhooks
        self._looking: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to look for webhooks."""
        self._looking = asyncio.create_task(self._look(), name="webhook deliverer")

    async def close(self) -> None:
        """Stop. What is being sent is sent again later, by any process."""
        tasks = [*([self._looking] if self._looking else []), *self._sending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        lease = 4 * self._services.settings.webhook_seconds
        while not self._services.drain.begun:
            if len(self._sending) < _MOST_AT_ONCE:
                try:
                    for delivery in await self._store.claim(lease):
                        task = asyncio.create_task(self._deliver_or_log(delivery), name=f"webhook of {delivery.id}")
                        self._sending.add(task)
                        task.add_done_callback(self._sending.discard)
                except (BrokerUnavailable, StorageFull) as error:
                    _log.warning("webhooks_put_off", reason=error.detail)
                except Exception:  # if this task ended, no webhook would be sent until the service is started again
                    _log.exception("webhooks_put_off")
            await asyncio.sleep(_LOOK_EVERY)

    async def _deliver_or_log(self, delivery: Delivery) -> None:
        try:
            await self._deliver(delivery)
        except VisualizationError as error:  # the lease runs out, and then it is tried again
            _log.warning("webhook_put_off", id=delivery.id, reason=error.detail)
        except Exception:
            _log.exception("webhook_failed", id=delivery.id)

    async def _deliver(self, delivery: Delivery) -> None:
        endpoint = await self._store.endpoint(delivery.owner, delivery.url)
        if endpoint is not None and endpoint.disabled_until is not None:
            await self._end(delivery, "dropped", None)
            return
        error, is_gone = await self._send(delivery)
        most = self._services.settings.webhook_failures
        disabled = await self._store.note_attempt(delivery, error, gone=is_gone, most=most, pause=DISABLED_SECONDS)
        if error is None:
            await self._end(delivery, "delivered", None)
        elif disabled or delivery.attempt > len(RETRY_AFTER):
            _log.warning("webhook_given_up", id=delivery.id, attempts=delivery.attempt, reason=error, endpoint_disabled=disabled)
            await self._end(delivery, "given_up", None)
        else:
            delay = RETRY_AFTER[delivery.attempt - 1] * random.uniform(1.0, 1.1)  # noqa: S311 - it only spreads the attempts
            await self._end(delivery, "failed", delay)

    async def _send(self, delivery: Delivery) -> tuple[str | None, bool]:
        """Send a webhook once. Return why that failed, or None, and whether the endpoint says that it is gone for good."""
        payload = WebhookPayload.model_validate(
            {
                "type": f"{delivery.kind}.{delivery.state}",
                "timestamp": delivery.ended_at,
                "data": {"id": delivery.id, "state": delivery.state},
            }
        )
        body = payload.model_dump_json().encode()
        secrets = await self._store.signing_secrets(delivery.owner)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        headers |= signed_headers(secrets, f"msg_{delivery.id}", int(time.time()), body)
        seconds = self._services.settings.webhook_seconds
        try:
            answer = await self._services.outbound.post(delivery.url, body, headers, seconds=seconds, max_bytes=_MOST_ANSWER)
        except (UrlRefused, UrlUnavailable, BodyTooLarge) as error:
            return error.detail, False
        if 200 <= answer.status < 300:
            return None, False
        return f"The endpoint answered with the status {answer.status}.", answer.status == _GONE

    async def _end(self, delivery: Delivery, outcome: str, delay: float | None) -> None:
        self._services.metrics.count_webhook(outcome)
        await self._store.end(delivery, delay)
