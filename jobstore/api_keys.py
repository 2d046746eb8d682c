"""Keep API keys: their hash, owner and scopes. A key itself is never stored."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from jobstore.connection import Connection
from jobstore.keys import key
from jobstore.snapshot import moment
from schemas.access import ApiKey, ApiKeyRequest, NewApiKey

LONGEST_LIFE = 10 * 365 * 86_400_000  # ms; every key in Redis expires, so an API key that nobody uses for ten years is forgotten
_ID_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_TOKEN = re.compile(r"cs_([0-9a-z]{12})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class StoredKey:
    """An API key and the sha256 of the whole key as its holder sends it.

    A plain hash is enough, because a key has 256 random bits: there is no list of likely keys that one could try (NIST SP 800-63B, 5.1.2).
    """

    key: ApiKey
    digest: bytes

    def is_from(self, token: str) -> bool:
        """Tell whether `token` is this key. The comparison takes the same time wherever the first difference is."""
        return hmac.compare_digest(self.digest, digest_of_token(token))

    @property
    def expired(self) -> bool:
        return self.key.expires_at is not None and self.key.expires_at <= datetime.now(UTC)


def key_id_of(token: str) -> str | None:
    """Return the id in a key, or None if `token` has not the form of a key."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None


def digest_of_token(token: str) -> bytes:
    """Return the sha256 of a key."""
    return hashlib.sha256(token.encode()).digest()


class ApiKeyStore:
    """Makes, lists, reads and revokes API keys. Every method raises `BrokerUnavailable` if Redis does not answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, order: ApiKeyRequest) -> NewApiKey:
        """Make a key and return it. Nobody can read its secret part again.

        Raises:
            StorageFull: The memory of Redis is full.
        """
        key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
        token = f"cs_{key_id}_{secrets.token_urlsafe(32)}"
        created = datetime.now(UTC)
        made = NewApiKey(
            id=key_id,
            owner=order.owner,
            scopes=order.scopes,
            created_at=created,
            expires_at=order.expires_at,
            last_used_at=None,
            key=token,
        )
        values = {
            "owner": order.owner,
            "scopes": " ".join(order.scopes),
            "digest": digest_of_token(token).hex(),
            "created_at": _milliseconds(created),
            "expires_at": "" if order.expires_at is None else _milliseconds(order.expires_at),
        }
        life = LONGEST_LIFE if order.expires_at is None else max(1, round((order.expires_at - created).total_seconds() * 1000))
        fields = [text for name, value in values.items() for text in (name, str(value))]
        await self._connection.script(
            "keep_api_key", "api_keys", api_key=key_id, fields=fields, life=min(life, LONGEST_LIFE), longest=LONGEST_LIFE
        )
        return made

    async def read(self, key_id: str) -> StoredKey | None:
        """Return a key that is valid now, or None if there is none with this id."""
        found = _stored(key_id, await self._connection.command("HGETALL", _name(key_id)))
        return None if found is None or found.expired else found

    async def all(self) -> list[ApiKey]:
        """Return every valid key, the newest first."""
        ids = [each.decode() for each in await self._connection.command("SMEMBERS", _ALL)]
        found = await asyncio.gather(*map(self.read, ids))
        gone = [key_id for key_id, stored in zip(ids, found, strict=True) if stored is None]
        if gone:
            await self._connection.command("SREM", _ALL, *gone)
        return sorted((stored.key for stored in found if stored is not None), key=lambda each: each.created_at, reverse=True)

    async def revoke(self, key_id: str) -> bool:
        """Delete a key. Return False if there is none with this id."""
        deleted = await self._connection.command("DEL", _name(key_id))
        await self._connection.command("SREM", _ALL, key_id)
        return bool(deleted)

    async def note_use(self, key_id: str) -> None:
        """Note that a key is used now. Nothing happens if it has been revoked."""
        await self._connection.script("touch_api_key", "api_keys", api_key=key_id, longest=LONGEST_LIFE)


_ALL = key("api_keys", "api_keys", "all")


def _name(key_id: str) -> str:
    return key("api_keys", "api_key", key_id)


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _stored(key_id: str, reply: Mapping[bytes, bytes]) -> StoredKey | None:
    fields = {name.decode(): value.decode() for name, value in reply.items()}
    if not fields:
        return None
    times = {name: moment(fields[name]) if fields.get(name) else None for name in ("created_at", "expires_at", "last_used_at")}
    found = ApiKey.model_validate({"id": key_id, "owner": fields["owner"], "scopes": fields["scopes"].split(), **times})
    return StoredKey(found, bytes.fromhex(fields["digest"]))
