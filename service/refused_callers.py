"""Hold back addresses that send many requests without a valid key, so that a flood of them costs little."""

from __future__ import annotations

import math
import time
from collections import OrderedDict

from schemas.access_errors import RateLimited
from service.rate_limits import caller_at

MOST_REFUSALS = 60  # of one address in a minute, in one process
_WINDOW = 60.0  # seconds
_MOST_REMEMBERED = 4096  # addresses


class RefusedCallers:
    """Counts the 401 answers of each address. This machine's own addresses are not counted, as for all limits of a caller."""

    def __init__(self) -> None:
        self._refusals: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def check(self, address: str | None) -> None:
        """Raise `RateLimited` if the address has been refused too often in the last minute."""
        caller = caller_at(address)
        since, count = self._refusals.get(caller or "", (0.0, 0))
        left = since + _WINDOW - time.monotonic()
        if count >= MOST_REFUSALS and left > 0:
            raise RateLimited(
                f"{MOST_REFUSALS} requests from this address had no valid key within {_WINDOW:g} s. Try again later, with a key.",
                allowed=f"{MOST_REFUSALS} in {_WINDOW:g} s",
                retry_after=math.ceil(left),
            )

    def note(self, address: str | None) -> None:
        """Count a refusal."""
        caller, now = caller_at(address), time.monotonic()
        if caller is None:
            return
        since, count = self._refusals.get(caller, (now, 0))
        self._refusals[caller] = (now, 1) if now - since >= _WINDOW else (since, count + 1)
        self._refusals.move_to_end(caller)
        if len(self._refusals) > _MOST_REMEMBERED:
            self._refusals.popitem(last=False)
