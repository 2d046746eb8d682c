"""Decide how long a run waits for a service that is busy."""

from __future__ import annotations

from dataclasses import dataclass

from convscope.errors import ProblemError
from convscope.retrying import RetryPolicy


@dataclass(frozen=True)
class RunPatience(RetryPolicy):
    """Repeats calls as `RetryPolicy` does, but goes on much longer where the service says when to come again.

    The callers of a run share the limits of one caller, so that any one of them may be refused many times in a row although the run
    makes progress.

    Attributes:
        busy_wait: seconds in all that one call waits for a busy service.
    """

    attempts: int = 12
    busy_wait: float = 3600.0

    def delay(self, attempt: int, error: Exception, waited: float) -> float | None:
        """Return the seconds to wait after the attempt number `attempt` (from 1), or None if the call must not be repeated."""
        if isinstance(error, ProblemError) and error.retryable and error.retry_after is not None:
            return RetryPolicy(attempt + 1, self.backoff, self.busy_wait).delay(attempt, error, waited)
        return super().delay(attempt, error, waited)
