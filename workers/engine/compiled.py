"""The compiled functions of one model, built once each, kept within bounds, their traces counted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class _Entry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.function: Callable[..., Any] | None = None


class CompiledCache:
    """Compiled functions by key, the least recently used dropped beyond `capacity`. It lives and dies with its model.

    Thread-safe: while one thread builds a function, others that want the same one wait for it, and all the rest go on.
    """

    def __init__(self, capacity: int = 48) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._traces_of_dropped = 0

    def get(self, key: Hashable, build: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
        """The function of `key`, made by `build` where there is none yet; an error of `build` is raised and nothing kept."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
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
        """How often functions of this cache were traced, dropped ones included: rises by one for each function, no more."""
        with self._lock:
            return self._traces_of_dropped + sum(_traces(entry) for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        with self._lock:
            self._traces_of_dropped += sum(_traces(entry) for entry in self._entries.values())
            self._entries.clear()

    def _drop_oldest(self) -> None:
        for key in list(self._entries):
            if len(self._entries) <= self._capacity:
                return
            if self._entries[key].function is not None:  # not one that is being built
                self._traces_of_dropped += _traces(self._entries.pop(key))


def _traces(entry: _Entry) -> int:
    """Of a `tf.function` what TensorFlow counts; any other callable was made once."""
    if entry.function is None:
        return 0
    count = getattr(entry.function, "experimental_get_tracing_count", None)
    return 1 if count is None else count()
