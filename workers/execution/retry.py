"""Store calls that outlive a store that is away: a restart of Redis is no reason to lose a result that took a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from schemas.errors import BrokerUnavailable, VisualizationError
from telemetry.logs import get_logger

Answer = TypeVar("Answer")

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


async def when_available(call: Callable[[], Awaitable[Answer]], *passing: type[VisualizationError]) -> Answer:
    """The answer of `call`, tried again with growing pauses while the broker does not answer or a `passing` error comes.

    `call` must be safe to repeat: a reply may have been lost after its effect. Transitions are, being guarded by the attempt.
    """
    pause = SHORTEST_PAUSE
    while True:
        try:
            return await call()
        except (BrokerUnavailable, *passing) as error:
            get_logger(__name__).warning("store call put off", code=error.code, reason=error.detail, again_in=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
