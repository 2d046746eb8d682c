"""Define one line of the report of `convscope doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the report. The level `missing` makes the command fail."""

    level: Literal["ok", "note", "missing"]
    subject: str
    text: str
