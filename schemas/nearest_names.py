"""Find names that look like one that does not exist, for the texts of errors."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def nearest_names(name: str, names: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return up to `count` of `names` that look like `name`, the best first (difflib ratio of at least 0.5, case ignored).

    Paths of which `name` is the end come before all others: `Conv_1` finds `mobilenetv2/Conv_1`.
    """
    key = name[:256].casefold()
    by_key = {each.casefold(): each for each in names}
    ends = [each for each in by_key if each.endswith(f"/{key}")]
    alike = difflib.get_close_matches(key, by_key, n=count, cutoff=0.5)
    return tuple(by_key[each] for each in dict.fromkeys([*ends, *alike]))[:count]


def nearest_hint(nearest: Sequence[str]) -> str:
    """Return ` Nearest: a, b.` with a leading space, to follow a sentence; empty if there are no nearest names."""
    return f" Nearest: {', '.join(nearest)}." if nearest else ""
