"""When a call is repeated, and how long the client waits before."""

from __future__ import annotations

import random
from dataclasses import dataclass

from convscope.errors import ProblemError

_CEILING = 30.0


@dataclass(frozen=True)
class RetryPolicy:
    """Says how often a call is repeated, and for how long.

    Attributes:
        attempts: the number of times that a call is made at most, the first one included.
        backoff: seconds before the first repetition where the service does not say how long to wait. They double each time.
        max_wait: seconds in all that one call waits between its attempts. A longer `Retry-After` raises the error at once.
    """

    attempts: int = 6
    backoff: float = 0.5
    max_wait: float = 300.0

    def delay(self, attempt: int, error: Exception, waited: float) -> float | None:
        """Return the seconds to wait after the attempt number `attempt` (from 1), or None if the call must not be repeated.

        Args:
            attempt: the number of attempts so far.
            error: the error of the last attempt. A `ProblemError` is repeated only if the service calls it retryable.
            waited: the seconds that the call has waited so far.
        """
        if attempt >= self.attempts or (isinstance(error, ProblemError) and not error.retryable):
            return None
        asked = error.retry_after if isinstance(error, ProblemError) else None
        # Jitter keeps many callers who were refused together from coming back together.
        if asked is not None:
            delay = asked + random.uniform(0, min(1.0, 0.25 * asked + 0.1))  # noqa: S311 - no secret
        else:
            delay = random.uniform(0.5, 1.0) * min(_CEILING, self.backoff * 2 ** (attempt - 1))  # noqa: S311 - no secret
        return delay if waited + delay <= self.max_wait else None


def retry_after_seconds(header: str | None) -> float | None:
    """Return the seconds of a `Retry-After` header; None if it is missing or is a date, which the service never sends."""
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
