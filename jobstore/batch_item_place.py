"""The place of a submission in a batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class BatchItemPlace:
    """The place of a submission in a batch. `assign` is given a job id and returns the one that the item has from then on.

    `assign` is called before the job is submitted. It returns an id that the item was given earlier, so an item never becomes two jobs.
    """

    batch_id: str
    number: int
    assign: Callable[[str], Awaitable[str]]

    @property
    def item(self) -> str:
        """The place as the scripts know it, `<batch>:<number>`."""
        return f"{self.batch_id}:{self.number}"
