"""What a slow method tells between two slices, and what it leaves for later jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.contract.arrays import Arrays, UInt8

Pieces = Mapping[str, Arrays]
"""Parts of a result, by name, that other jobs, or the same one taken up again, need not make anew: each some arrays."""


@dataclass(frozen=True)
class Reusable:
    """What a job can take over and leaves to others: pieces of the work that `work` describes, those of `names` or all there are.
    Equal works of one model have equal pieces."""

    work: str
    names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Slice:
    """Between two slices of a slow method: how far it is, and a small picture of it, if any (float (n, H, W, C) in 0-1 or uint8)."""

    step: int
    total: int
    value: float | None = None
    preview: UInt8 | None = None  # (H, W, 3)
    pieces: Pieces = field(default_factory=dict[str, Arrays])  # to be kept, finished since the last slice
