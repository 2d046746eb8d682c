"""The device seconds that one attempt at a slow job may use."""

from __future__ import annotations

import math
import threading

from schemas.errors import JobTimeout


class DeviceBudget:
    """Counts the seconds of a job's slices. The time between its slices, in which other jobs are on the device, does not count.

    Thread-safe.

    Args:
        seconds: how many seconds the slices may take in all. Infinity means that there is no limit.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self._allowed = seconds
        self._used = 0.0
        self._slices = 0
        self._lock = threading.Lock()

    @property
    def used(self) -> float:
        """The seconds that all slices so far have taken."""
        return self._used

    def add(self, seconds: float) -> None:
        """Count a slice that has taken so many seconds."""
        with self._lock:
            self._used += seconds
            self._slices += 1

    def check(self) -> None:
        """Check that the job may run another slice.

        Raises:
            JobTimeout: The slices have taken all the seconds that they may take.
        """
        if self._used >= self._allowed:
            raise JobTimeout(
                f"The job has used {self._used:.1f} s of the device in {self._slices} slices. A job may use at most {self._allowed:g} s of "
                "the device (CONVSCOPE_JOB_DEVICE_SECONDS)."
            )
