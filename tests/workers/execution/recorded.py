"""A record of the executions at work that a test can read."""

from __future__ import annotations


class ListedWork:
    """Keeps the ids in a list of `places` places. None is a free place."""

    def __init__(self, places: int = 100) -> None:
        self.places = places
        self._ids: list[str | None] = [None] * places

    @property
    def ids(self) -> list[str]:
        """The ids that are recorded now, in alphabetical order."""
        return sorted(each for each in self._ids if each is not None)

    def write(self, place: int, execution: str) -> None:
        assert self._ids[place] is None
        self._ids[place] = execution

    def erase(self, place: int) -> None:
        assert self._ids[place] is not None
        self._ids[place] = None
