"""Names of artifacts that there are several of, one for each layer or weight."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def artifact_names(paths: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Return a unique name for each path: the path with '.' in place of '/'.

    If another path or one of `taken` has this name already, `~2`, `~3` and so on is added to it.

    Example:
        `artifact_names(["base/conv", "base.conv"])` returns `{"base/conv": "base.conv", "base.conv": "base.conv~2"}`.
    """
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
