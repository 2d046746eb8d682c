"""Check API keys. A key that was checked is remembered for two seconds, so that a revocation counts within that time in every process."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

import structlog

from jobstore.api_keys import ApiKeyStore, StoredKey, key_id_of
from schemas.access import ApiKey
from schemas.access_errors import invalid_key
from schemas.errors import BrokerUnavailable

MEMORY_SECONDS = 2.0
_MOST_REMEMBERED = 4096
_USE_NOTED_EVERY = timedelta(minutes=10)

_log = structlog.get_logger(__name__)


class KeyRing:
    """Finds the API key that a caller sends."""

    def __init__(self, store: ApiKeyStore) -> None:
        self._store = store
        self._remembered: OrderedDict[str, tuple[float, StoredKey | None]] = OrderedDict()
        self._noted: dict[str, datetime] = {}

    async def check(self, token: str) -> ApiKey:
        """Return the key that `token` is.

        Raises:
            Unauthenticated: it is no key, or it has expired or been revoked.
            BrokerUnavailable: Redis does not answer.
        """
        key_id = key_id_of(token)
        if key_id is None:
            raise invalid_key("This is not an API key. A key has the form cs_<12 characters>_<43 characters>.")
        stored = await self._read(key_id)
        if stored is None or not stored.is_from(token):
            raise invalid_key("This API key does not exist, or it has expired or been revoked.")
        await self._note_use(stored.key)
        return stored.key

    def knows(self, token: str | None) -> bool:
        """Tell whether this key was checked lately and was valid then. Nobody is asked."""
        key_id = None if token is None else key_id_of(token)
        _, stored = self._remembered.get(key_id or "", (0.0, None))
        return stored is not None and token is not None and stored.is_from(token)

    async def holder(self, key_id: str) -> ApiKey | None:
        """Return the key with this id if it is valid now, otherwise None.

        Raises:
            BrokerUnavailable: Redis does not answer.
        """
        stored = await self._read(key_id)
        return None if stored is None else stored.key

    async def _read(self, key_id: str) -> StoredKey | None:
        remembered = self._remembered.get(key_id)
        if remembered is None or time.monotonic() - remembered[0] > MEMORY_SECONDS:
            remembered = (time.monotonic(), await self._store.read(key_id))
            self._remembered[key_id] = remembered
            self._remembered.move_to_end(key_id)
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        stored = remembered[1]
        return None if stored is None or stored.expired else stored

    async def _note_use(self, found: ApiKey) -> None:
        """Write down that the key is used, at most once in ten minutes. The request goes on if that fails."""
        now = datetime.now(UTC)
        last = max((each for each in (found.last_used_at, self._noted.get(found.id)) if each is not None), default=None)
        if last is not None and now - last < _USE_NOTED_EVERY:
            return
        self._noted = {key_id: noted for key_id, noted in self._noted.items() if now - noted < _USE_NOTED_EVERY} | {found.id: now}
        try:
            await self._store.note_use(found.id)
        except BrokerUnavailable as error:
            _log.warning("key_use_not_noted", key=found.id, reason=error.detail)
