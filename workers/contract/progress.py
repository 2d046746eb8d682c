"""The reports of a slow method after each slice, and the pieces of work that later jobs can reuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.contract.arrays import Arrays, UInt8

Pieces = Mapping[str, Arrays]
"""Finished parts of a job's work, by name. Each is a set of arrays that another job can take instead of computing them again."""


@dataclass(frozen=True)
class Reusable:
    """The pieces that a job can take over from earlier jobs, and that it leaves for later ones.

    Attributes:
        work: describes the work. If the works of two jobs on one model are equal, their pieces of the same name are equal.
        names: the names of the pieces that the job can use. None means all of them.
    """

    work: str
    names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Slice:
    """The progress of a slow method after a slice.

    Attributes:
        step: number of steps done, from 0 to `total`.
        total: number of all steps.
        value: mean value of the objective at this step, if there is an objective.
        preview: a small picture of the state, uint8 RGB (H, W, 3), if there is one.
        pieces: pieces that were finished since the last slice, to be kept for later jobs.
    """

    step: int
    total: int
    value: float | None = None
    preview: UInt8 | None = None
    pieces: Pieces = field(default_factory=dict[str, Arrays])
