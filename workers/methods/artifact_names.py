"""Paths in the names of artifacts."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def by_path(paths: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """A name for each path: with '.' for '/', and `~2`, `~3`… behind it where another path, or `taken`, has that name."""
    names: dict[str, str] = {}
    used = set(taken)
    for path in paths:
        dotted = name = path.replace("/", ".")
        number = 1
        while name in used:
            number += 1
            name = f"{dotted}~{number}"
        names[path] = name
        used.add(name)
    return names
