"""Count a caller's requests over all processes of the service."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jobstore.connection import Connection
from jobstore.keys import owner_key


@dataclass(frozen=True)
class Quota:
    """A number of requests of one kind in a number of seconds. It fills evenly, and all of it may be used at once."""

    kind: str
    most: int
    seconds: int


@dataclass(frozen=True)
class Taken:
    """The answer for one request.

    Attributes:
        allowed: whether the request is within the quota. A refused request takes nothing.
        remaining: the number of requests that would be allowed now.
        retry_after: seconds until the next request is allowed, rounded up; 0 if this one was.
        whole_after: seconds until all of the quota is there again, rounded up.
    """

    allowed: bool
    remaining: int
    retry_after: int
    whole_after: int


class Quotas:
    """Holds what each caller has used of its quotas. Every method raises `BrokerUnavailable` if Redis does not answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def take(self, quota: Quota, caller: str) -> Taken:
        """Take one request from the caller's quota, if one is left."""
        name, shard = f"{quota.kind}:{owner_key(caller)}", self._connection.shard_of(caller)
        reply = await self._connection.script("take", shard, quota=name, most=quota.most, window=quota.seconds * 1000)
        allowed, remaining, wait, whole = (int(each) for each in reply)
        return Taken(bool(allowed), remaining, math.ceil(wait / 1000), math.ceil(whole / 1000))
