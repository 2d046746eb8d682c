"""Say how many connections a process of the service may hold open, so that it never runs out of file descriptors.

If it did, asyncio would log an error for each connection that it cannot accept, tens of thousands of lines in a second, and callers would
wait until other connections end.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass

_MOST_ACCEPTED = 256
_OTHER_DESCRIPTORS = 256  # for Redis, files and child processes
_FEWEST, _MOST = 64, 10_000


@dataclass(frozen=True)
class ConnectionLimits:
    """How many connections may be open, and how many are accepted before the first of them is looked at.

    A connection that is closed to make room keeps its descriptor until others have been accepted twice, so the descriptors of three times
    `accepted` connections are not given away.
    """

    most: int
    accepted: int


def raise_descriptor_limit() -> None:
    """Let this process open as many files as the system allows it. Systems often begin with 1,024 for the sake of old programs."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:  # macOS reports no limit, and refuses to remove its own
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connection_limits(wanted: int | None) -> ConnectionLimits:
    """Return the limits for `wanted` connections, or else for 10,000, or as many as the limit of file descriptors leaves room for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return ConnectionLimits(wanted or _MOST, _MOST_ACCEPTED)
    accepted = min(_MOST_ACCEPTED, max(1, soft // 8))
    return ConnectionLimits(wanted or min(_MOST, max(_FEWEST, soft - 3 * accepted - _OTHER_DESCRIPTORS)), accepted)
