"""Keep the secrets that sign addresses. All processes share them, and each day has its own."""

from __future__ import annotations

import secrets
import time

from jobstore.connection import Connection
from jobstore.keys import key

DAY = 86_400  # seconds
_LINGER = 600  # seconds; clocks of several machines may differ


class SigningSecrets:
    """Gives the secret for addresses that expire on a day, counted from 1970 in UTC. It is forgotten when they have all expired.

    Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_day(self, day: int) -> bytes:
        """Return the secret of a day that has not ended, 32 random bytes. The first process that asks makes it.

        Raises:
            StorageFull: The memory of Redis is full.
        """
        name, made = key("api_keys", "signing", str(day)), secrets.token_bytes(32)
        life = max(1, round((day + 1) * DAY - time.time()) + _LINGER)
        await self._connection.command("SET", name, made, "NX", "EX", life)
        return await self.known(day) or made

    async def known(self, day: int) -> bytes | None:
        """Return the secret of a day, or None if no address that expires then has been signed or the day is over."""
        found = await self._connection.command("GET", key("api_keys", "signing", str(day)))
        return None if found is None else bytes(found)
