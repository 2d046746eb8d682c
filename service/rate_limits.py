"""Hold each caller to a number of submissions and of other requests in a minute, and tell how many are left."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Literal

from jobstore.quotas import Quota, Quotas
from schemas.access_errors import RateLimited
from service.settings import ServiceSettings

Kind = Literal["submissions", "reads"]
_WINDOW = 60  # seconds


class RateLimits:
    """Counts requests of callers who can be told apart."""

    def __init__(self, quotas: Quotas, settings: ServiceSettings) -> None:
        self._quotas = quotas
        most: Mapping[Kind, int] = {"submissions": settings.max_submissions_per_minute, "reads": settings.max_reads_per_minute}
        self._limits = {kind: Quota(kind, count, _WINDOW) for kind, count in most.items() if count > 0}
        # These fields follow draft-ietf-httpapi-ratelimit-headers-10.
        self._policy = ", ".join(f'"{quota.kind}";q={quota.most};w={quota.seconds}' for quota in self._limits.values())

    async def take(self, kind: Kind, caller: str, headers: dict[str, str]) -> None:
        """Count one request. Put `RateLimit` and `RateLimit-Policy` into `headers`, also if the request is refused.

        Raises:
            RateLimited: the caller has used up its quota.
            BrokerUnavailable: Redis does not answer.
        """
        quota = self._limits.get(kind)
        if self._policy:
            headers["RateLimit-Policy"] = self._policy
        if quota is None:
            return
        taken = await self._quotas.take(quota, caller)
        headers["RateLimit"] = f'"{kind}";r={taken.remaining};t={taken.whole_after}'
        if not taken.allowed:
            what = "submissions" if kind == "submissions" else "requests that are no submissions"
            raise RateLimited(
                f"A caller may send {quota.most} {what} in {quota.seconds} s. The next one is allowed in {taken.retry_after} s.",
                allowed=f"{quota.most} in {quota.seconds} s",
                retry_after=taken.retry_after,
            )


def caller_at(address: str | None) -> str | None:
    """Return the name under which requests from an address are counted, or None if the address is unknown or this machine's own.

    An IPv6 address counts with all others of its /64 network, because one machine has all of them.
    """
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if found.is_loopback:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        return f"address:{found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False).network_address}"
    return f"address:{found}"
