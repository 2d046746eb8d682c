"""Put items into topological order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rendering.graphs.depths import Edge


def in_order(items: Iterable[int], edges: Sequence[Edge]) -> list[int]:
    """Return the items so that edges lead forwards, and otherwise in the given order.

    If edges form a circle, the first item of those left comes next, and some edges lead backwards. Edges from an item to itself do not
    count.
    """
    left = dict.fromkeys(items)
    missing = {item: {source for source, target in edges if target == item and source != item} for item in left}
    found: list[int] = []
    while left:
        following = next((item for item in left if not missing[item]), next(iter(left)))
        found.append(following)
        del left[following]
        for waits in missing.values():
            waits.discard(following)
    return found
