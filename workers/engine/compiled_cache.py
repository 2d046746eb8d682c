"""A cache of the compiled functions of one model, which builds each function once, counts its traces and announces when it compiles."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import tensorflow as tf

from workers.engine.registered_gradients import forget_registered_gradients

Compiling = Callable[[], AbstractContextManager[None]]
"""Returns a context that is entered while something compiles, which may take much longer than a call of what is compiled."""

KNOWN_SHAPES = 1024  # of one function; when there are more, all are forgotten, and the next calls are announced again


class CompiledFunction:
    """A compiled function that is called with the notice `compiling` whenever its arguments have shapes that are new to it.

    TensorFlow prepares a function for every new shape, although it traces it only once: it plans the first call of a trace, chooses the
    algorithms of convolutions, and reorders weights.

    Attributes:
        operations: the number of operations in the graph of a traced `tf.function`, and 0 for any other callable.
    """

    def __init__(self, function: Callable[..., Any], compiling: Compiling) -> None:
        self.function: Any = function
        self._compiling = compiling
        self._known_shapes: set[Hashable] = set()
        self.operations = _operations_of(function)

    def __call__(self, *arguments: Any) -> Any:
        shapes = tuple(_shape_of(argument) for argument in tf.nest.flatten(arguments))
        if shapes in self._known_shapes:
            return self.function(*arguments)
        with self._compiling():
            result = self.function(*arguments)
        if len(self._known_shapes) >= KNOWN_SHAPES:
            self._known_shapes.clear()
        self._known_shapes.add(shapes)
        return result

    @property
    def traces(self) -> int:
        """The number of times that TensorFlow traced a `tf.function`. Any other callable counts as one trace."""
        count = getattr(self.function, "experimental_get_tracing_count", None)
        return 1 if count is None else count()


class _CacheEntry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.function: CompiledFunction | None = None

    @property
    def traces(self) -> int:
        return 0 if self.function is None else self.function.traces


class CompiledCache:
    """Compiled functions by key. When there are more than `capacity`, the least recently used ones are dropped.

    Thread-safe: while one thread builds a function, only those that want the same function wait for it. The notice `compiling` is given
    while a function is built, to the threads that wait too.
    """

    def __init__(self, capacity: int = 48, compiling: Compiling = nullcontext) -> None:
        self._capacity, self._compiling = capacity, compiling
        self._entries: OrderedDict[Hashable, _CacheEntry] = OrderedDict()
        self._lock = threading.Lock()
        self._traces_of_dropped = 0

    def get(self, key: Hashable, build: Callable[[], Callable[..., Any]]) -> CompiledFunction:
        """Return the function for `key`, made by `build` if there is none yet. If `build` raises, nothing is kept."""
        with self._lock:
            entry = self._entries.setdefault(key, _CacheEntry())
            self._entries.move_to_end(key)
        return entry.function or self._built(key, entry, build)

    @property
    def traces(self) -> int:
        """The number of times that functions of this cache were traced, dropped ones included. One trace for each function is expected."""
        with self._lock:
            return self._traces_of_dropped + sum(entry.traces for entry in self._entries.values())

    @property
    def operations(self) -> int:
        """The number of operations in the graphs of all functions that are in memory."""
        with self._lock:
            return sum(entry.function.operations for entry in self._entries.values() if entry.function is not None)

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Drop all functions; their traces stay counted."""
        with self._lock:
            self._traces_of_dropped += sum(entry.traces for entry in self._entries.values())
            self._entries.clear()

    def _built(self, key: Hashable, entry: _CacheEntry, build: Callable[[], Callable[..., Any]]) -> CompiledFunction:
        with self._compiling(), entry.lock:
            if entry.function is None:
                try:
                    entry.function = CompiledFunction(build(), self._compiling)
                except BaseException:
                    with self._lock:
                        if self._entries.get(key) is entry:
                            del self._entries[key]
                    raise
                with self._lock:
                    self._drop_oldest()
            return entry.function

    def _drop_oldest(self) -> None:
        for key in list(self._entries):
            if len(self._entries) <= self._capacity:
                return
            if self._entries[key].function is not None:  # a function that is still being built is not dropped
                self._traces_of_dropped += self._entries.pop(key).traces


def _operations_of(function: Any) -> int:
    """Return the number of operations in the graph of a `tf.function` with an input signature. It is traced now, if it was not before."""
    if getattr(function, "input_signature", None) is None:
        return 0
    return forget_registered_gradients(function.get_concrete_function().graph)


def _shape_of(argument: Any) -> Hashable:
    return tuple(argument.shape) if isinstance(argument, (tf.Tensor, np.ndarray, np.generic)) else type(argument)
