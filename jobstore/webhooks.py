"""Keep webhooks until they are delivered, the state of their endpoints, and the secrets that sign them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from jobstore.connection import Connection
from jobstore.keys import key, owner_key
from jobstore.snapshot import moment
from schemas.webhooks import WebhookEndpoint, WebhookRequest, WebhookSecret

WebhookKind = Literal["job", "batch"]
_CLAIMED_TOGETHER = 8
_MOST_ENDPOINTS = 100  # that are listed for one owner
_ENDPOINT_LIFE = 30 * 86_400_000  # milliseconds
_SECRET_LIFE = 400 * 86_400  # seconds after the last use
_OLD_SECRET_LIFE = timedelta(days=1)


@dataclass(frozen=True)
class Delivery:
    """A webhook that this process is to deliver now. `attempt` counts from 1."""

    id: str
    kind: WebhookKind
    owner: str
    url: str
    state: str
    ended_at: datetime
    attempt: int


class Webhooks:
    """Holds what is told when jobs and batches end. Every method raises `BrokerUnavailable` if Redis does not answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def register(self, owner: str, kind: WebhookKind, identity: str, webhook: WebhookRequest) -> None:
        """Let the end of a job or a batch be told. If it has ended, that is told at once. A repetition changes nothing."""
        settings = self._connection.settings
        await self._connection.script(
            "register_webhook",
            self._connection.shard_of(identity),
            id=identity,
            kind=kind,
            owner=owner,
            url=webhook.url,
            events=" ".join(webhook.events),
            life=max(2 * settings.result_ttl, settings.batch_ttl) * 1000,
        )

    async def waiting(self) -> int:
        """Return how many webhooks are to be delivered now or later."""
        counts = await asyncio.gather(
            *(self._connection.command("ZCARD", key(shard, "deliveries", "all")) for shard in self._connection.shards)
        )
        return sum(counts)

    async def claim(self, lease: float) -> list[Delivery]:
        """Take webhooks whose time has come, a few of each shard. Another process takes those that are not ended within `lease` seconds.

        Shards that do not answer are left out, unless none does.
        """
        replies = await self._connection.script_where_it_can("claim_deliveries", lease=round(lease * 1000), most=_CLAIMED_TOGETHER)
        return [_delivery(identity.decode(), _as_texts(flat)) for reply in replies for identity, flat in reply]

    async def end(self, delivery: Delivery, delay: float | None) -> None:
        """End an attempt. The next one follows after `delay` seconds. If that is None, the webhook is forgotten."""
        shard = self._connection.shard_of(delivery.id)
        await self._connection.script(
            "end_delivery", shard, id=delivery.id, attempt=delivery.attempt, delay=None if delay is None else round(delay * 1000)
        )

    async def note_attempt(self, delivery: Delivery, error: str | None, *, gone: bool, most: int, pause: float) -> bool:
        """Note how an attempt went; `error` is None if it succeeded. Return True if this has disabled the endpoint for `pause` seconds."""
        return bool(
            await self._connection.script(
                "note_endpoint",
                self._shard_of(delivery.owner),
                owner_key=owner_key(delivery.owner),
                endpoint=_digest(delivery.url),
                url=delivery.url,
                error=error,
                gone=gone or None,
                most=most,
                pause=round(pause * 1000),
                most_listed=_MOST_ENDPOINTS,
                life=_ENDPOINT_LIFE,
            )
        )

    async def endpoint(self, owner: str, url: str) -> WebhookEndpoint | None:
        """Return an endpoint of an owner, or None if nothing was sent to it lately."""
        return await self._endpoint(owner, _digest(url))

    async def endpoints(self, owner: str) -> list[WebhookEndpoint]:
        """Return the endpoints of an owner. The one that was tried last comes first."""
        digests = await self._connection.command("ZRANGE", key(self._shard_of(owner), "endpoints", owner_key(owner)), 0, -1, "REV")
        found = await asyncio.gather(*(self._endpoint(owner, each.decode()) for each in digests))
        return [each for each in found if each is not None]

    async def secret(self, owner: str) -> WebhookSecret:
        """Return the secret of an owner. The first call makes it."""
        name = _secret_name(owner)
        await self._connection.command("HSETNX", name, "current", _new_secret())
        await self._connection.command("EXPIRE", name, _SECRET_LIFE)
        fields = _as_texts(await self._flat(name))
        until = moment(fields["previous_until"]) if "previous_until" in fields else None
        return WebhookSecret(secret=fields["current"], previous_until=until if until and until > datetime.now(UTC) else None)

    async def rotate_secret(self, owner: str) -> WebhookSecret:
        """Make a new secret and return it. Webhooks are signed with the one before too, for a day."""
        before, name = await self.secret(owner), _secret_name(owner)
        until = round((datetime.now(UTC) + _OLD_SECRET_LIFE).timestamp() * 1000)
        await self._connection.command("HSET", name, "current", _new_secret(), "previous", before.secret, "previous_until", until)
        return await self.secret(owner)

    async def signing_secrets(self, owner: str) -> list[str]:
        """Return the secrets that sign the webhooks of an owner now, the current one first."""
        shown = await self.secret(owner)
        if shown.previous_until is None:
            return [shown.secret]
        return [shown.secret, _as_texts(await self._flat(_secret_name(owner)))["previous"]]

    async def _endpoint(self, owner: str, digest: str) -> WebhookEndpoint | None:
        name = key(self._shard_of(owner), "endpoint", f"{owner_key(owner)}:{digest}")
        fields = _as_texts(await self._flat(name))
        if "url" not in fields:
            return None
        until = moment(fields["disabled_until"]) if "disabled_until" in fields else None
        return WebhookEndpoint(
            url=fields["url"],
            failures=int(fields.get("failures", 0)),
            error=fields.get("error"),
            tried_at=moment(fields["tried_at"]),
            disabled_until=until if until and until > datetime.now(UTC) else None,
        )

    async def _flat(self, name: str) -> list[bytes]:
        reply: Mapping[bytes, bytes] = await self._connection.command("HGETALL", name)
        return [text for pair in reply.items() for text in pair]

    def _shard_of(self, owner: str) -> int:
        return self._connection.shard_of(owner_key(owner))


def _delivery(identity: str, fields: Mapping[str, str]) -> Delivery:
    kind: WebhookKind = "job" if fields["kind"] == "job" else "batch"
    return Delivery(identity, kind, fields["owner"], fields["url"], fields["state"], moment(fields["ended_at"]), int(fields["attempts"]))


def _as_texts(flat: list[bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _secret_name(owner: str) -> str:
    return key("api_keys", "webhook_secret", owner_key(owner))
