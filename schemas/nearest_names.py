"""Find names that look like one that does not exist, for the texts of errors."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

_SHORTEST_BEGINNING = 3  # characters; many names begin with one or two given letters


def names_containing(text: str, names: Iterable[str], count: int = 5) -> tuple[str, ...]:
    """Return up to `count` of `names` that contain `text`, case ignored. Those that contain it as a word of its own come first."""
    key = text[:256].strip().casefold()
    found = [name for name in names if key and key in name.casefold()]
    word = re.compile(rf"\b{re.escape(key)}\b")
    return tuple(sorted(found, key=lambda name: word.search(name.casefold()) is None))[:count]


def nearest_names(name: str, names: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return up to `count` of `names` that look like `name`, the best first (difflib ratio of at least 0.5, case ignored).

    Paths of which `name` is the end come before all others: `Conv_1` finds `mobilenetv2/Conv_1`. A name that is equal but for its case
    comes next, then names that begin with `name`, in the order given: `efficientnet` finds `efficientnet_lite0`.
    """
    key = name[:256].casefold()
    by_key = {each.casefold(): each for each in names}
    ends = [each for each in by_key if each.endswith(f"/{key}")]
    begins = [each for each in by_key if len(key) >= _SHORTEST_BEGINNING and each.startswith(key)]
    same = [key] if key in by_key else []
    alike = difflib.get_close_matches(key, by_key, n=count, cutoff=0.5)
    return tuple(by_key[each] for each in dict.fromkeys([*ends, *same, *begins, *alike]))[:count]


def nearest_hint(nearest: Sequence[str]) -> str:
    """Return ` Nearest: a, b.` with a leading space, to follow a sentence; empty if there are no nearest names."""
    return f" Nearest: {', '.join(nearest)}." if nearest else ""
