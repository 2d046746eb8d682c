"""Repeat calls to the store while it is unavailable, so that a restart of Redis does not lose a result that took a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from schemas.errors import BrokerUnavailable, VisualizationError
from telemetry.logs import get_logger

Answer = TypeVar("Answer")

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds


async def retry_until_available(call: Callable[[], Awaitable[Answer]], *also: type[VisualizationError]) -> Answer:
    """Return the answer of `call`. Repeat it with growing pauses while it raises `BrokerUnavailable` or one of the errors in `also`.

    `call` must be safe to repeat, because a reply can be lost after the call has had its effect. The transitions of an execution are
    safe: each of them names its attempt.
    """
    pause = SHORTEST_PAUSE
    while True:
        try:
            return await call()
        except (BrokerUnavailable, *also) as error:
            get_logger(__name__).warning("store call put off", code=error.code, reason=error.detail, again_in=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
