"""When a caller of the load begins its calls."""

from __future__ import annotations


class CallPace:
    """Begins a call each `seconds`. If a call ends later than the next one should begin, that one begins at once, and the pace is kept from
    then on.

    `constant_pacing` of locust counts from the making of the caller, so that after their first calls all callers begin at the same moment.

    Args:
        seconds: the time from the beginning of one call to that of the next.
        first: the moment of the first call, in seconds of any clock.
    """

    def __init__(self, seconds: float, first: float) -> None:
        self._seconds = seconds
        self._begun = first

    def wait(self, now: float) -> float:
        """Return the seconds from `now` until the next call begins."""
        self._begun = max(self._begun + self._seconds, now)
        return self._begun - now
