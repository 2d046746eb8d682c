"""The options of `convscope run`, as the user gave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunOptions:
    """The options of `convscope run`. The help of the command says what each means."""

    method: str
    photos: Sequence[str]
    model: str | None
    param: Sequence[str]
    out: Path
    save: str
    callers: int
    batch: bool
    priority: str | None
    retry_failed: bool
    dry_run: bool
    contact_sheet: bool
    url: str | None
    key: str | None
