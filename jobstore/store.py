"""JobStore: every state a job can be in and every way from one to the next."""

from __future__ import annotations

from jobstore.describing import Describing
from jobstore.pieces import Pieces


class JobStore(Describing, Pieces):
    """The store of jobs, images, artifacts and models.

    Each transition is one Lua script, atomic, and those of a worker are guarded by the attempt: an execution runs at least once, and
    exactly one result is seen. Every key expires.

    What callers do is in `submitting` and `reading`, what workers do in `claiming`, workers and models in `describing`, and what
    long work leaves to later work in `pieces`.

    Raises from every method `BrokerUnavailable` when Redis does not answer, `StorageFull` when it or the disk is full.
    """
