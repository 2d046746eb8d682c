"""A cache of the compiled functions of one model, which builds each function once and counts its traces."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class _CacheEntry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.function: Callable[..., Any] | None = None


class CompiledCache:
    """Compiled functions by key. When there are more than `capacity`, the least recently used ones are dropped.

    Thread-safe: while one thread builds a function, only those that want the same function wait for it.
    """

    def __init__(self, capacity: int = 48) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[Hashable, _CacheEntry] = OrderedDict()
        self._lock = threading.Lock()
        self._traces_of_dropped = 0

    def get(self, key: Hashable, build: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
        """Return the function for `key`, made by `build` if there is none yet. If `build` raises, nothing is kept."""
        with self._lock:
            entry = self._entries.setdefault(key, _CacheEntry())
            self._entries.move_to_end(key)
        with entry.lock:
            if entry.function is None:
                try:
                    entry.function = build()
                except BaseException:
                    with self._lock:
                        if self._entries.get(key) is entry:
                            del self._entries[key]
                    raise
                with self._lock:
                    self._drop_oldest()
            return entry.function

    @property
    def traces(self) -> int:
        """The number of times that functions of this cache were traced, dropped ones included. One trace for each function is expected."""
        with self._lock:
            return self._traces_of_dropped + sum(_traces_of(entry) for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Drop all functions; their traces stay counted."""
        with self._lock:
            self._traces_of_dropped += sum(_traces_of(entry) for entry in self._entries.values())
            self._entries.clear()

    def _drop_oldest(self) -> None:
        for key in list(self._entries):
            if len(self._entries) <= self._capacity:
                return
            if self._entries[key].function is not None:  # a function that is still being built is not dropped
                self._traces_of_dropped += _traces_of(self._entries.pop(key))


def _traces_of(entry: _CacheEntry) -> int:
    """Return how often TensorFlow traced a `tf.function`; any other callable counts as one trace."""
    if entry.function is None:
        return 0
    count = getattr(entry.function, "experimental_get_tracing_count", None)
    return 1 if count is None else count()
